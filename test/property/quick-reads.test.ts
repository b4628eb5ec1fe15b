// Whatever bytes come, however they are cut: a server that answers at once what is kept says what
// the platform says.

import { once } from 'node:events'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { etagOf, startQuickServer } from '../support/quick-server.ts'
import { RawClient } from '../support/raw-client.ts'

type Server = Awaited<ReturnType<typeof startQuickServer>>

let quick: Server
let plain: Server
beforeAll(async () => {
  quick = await startQuickServer()
  plain = await startQuickServer({ isQuick: false })
})
afterAll(async () => {
  await quick.close()
  await plain.close()
})

const HOST = 'Host: a\r\n\r\n'
const OLD_DATE = 'Sun, 06 Nov 1994 08:49:37 GMT'
const DATE = 'Sat, 03 Feb 2024 00:00:00 GMT'
const conditional = (n: number, lines: string) => `GET /kept/${n} HTTP/1.1\r\n${lines}${HOST}`
const REQUESTS = [
  `GET /kept/1 HTTP/1.1\r\n${HOST}`,
  `GET /kept/22 HTTP/1.1\r\n${HOST}`,
  `GET /other HTTP/1.1\r\n${HOST}`,
  `GET /kept/1 HTTP/1.1\r\nAccept: */*\r\n${HOST}`,
  `HEAD /kept/1 HTTP/1.1\r\n${HOST}`,
  'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 33\r\n\r\nGET /kept/1 HTTP/1.1\r\nHost: a\r\n\r\n',
  `GET /kept/1 HTTP/1.1\r\nX: GET /kept/1 HTTP/1.1\r\n${HOST}`,
  'GET /kept/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  `GET /kept/1 HTTP/1.1\nHost: a\n\n`,
  `\r\nGET /kept/1 HTTP/1.1\r\n${HOST}`,
  'garbage\r\n\r\n',
  conditional(1, `If-None-Match: ${etagOf(1)}, ${etagOf(2)}\r\n`),
  conditional(1, `If-None-Match: ${etagOf(2)}\r\nIf-None-Match: ${etagOf(1)}\r\n`),
  conditional(
    2,
    `If-Modified-Since: ${'x'.repeat(DATE.length)}\r\nIf-None-Match: ${etagOf(2)}\r\n`
  ),
  conditional(2, `If-Modified-Since: ${OLD_DATE}\r\n`),
  conditional(2, `If-Modified-Since: ${DATE}\r\n`),
  conditional(2, `If-None-Match: ${etagOf(2)}\r\nIf-Match: ${etagOf(1)}\r\n`)
]

/** How a client asks whether an image is still the one that it has: the same way each time. */
const styles = fc.record({
  name: fc.constantFrom('If-None-Match: ', 'if-none-match:', 'If-None-Match:\t W/'),
  date: fc.constantFrom('none', 'before', 'after'),
  more: fc.constantFrom('', `X: ${etagOf(1)}\r\n`, `X: If-None-Match: ${etagOf(1)}\r\n`),
  method: fc.oneof({ weight: 4, arbitrary: fc.constant('GET') }, fc.constant('HEAD'))
})
const tagged = fc.record({
  n: fc.constantFrom(1, 2, 22, 4),
  has: fc.option(fc.constantFrom(1, 22), { freq: 4 }),
  date: fc.constantFrom(DATE, OLD_DATE)
})
type Made<T> = T extends fc.Arbitrary<infer Value> ? Value : never

function styled(style: Made<typeof styles>, { n, has, date }: Made<typeof tagged>): string {
  const since = `If-Modified-Since: ${date}\r\n`
  const lines = [`${style.name}${etagOf(has ?? n)}\r\n`]
  if (style.date === 'before') lines.unshift(since)
  if (style.date === 'after') lines.push(since)
  return `${style.method} /kept/${n} HTTP/1.1\r\n${style.more}${lines.join('')}${HOST}`
}

const parts = fc.array(
  fc.record({
    request: fc.oneof(
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 3, arbitrary: tagged },
      { weight: 2, arbitrary: fc.nat(REQUESTS.length - 1) }
    ),
    cut: fc.oneof(
      { weight: 4, arbitrary: fc.constant('no' as const) },
      fc.constant('joined' as const),
      fc.nat(60)
    )
  }),
  { minLength: 1, maxLength: 8 }
)

/** Chunks of whole requests, of parts, and of several. */
const chunks = fc.tuple(styles, parts).map(([style, all]) => {
  const cut: string[] = []
  for (const { request, cut: at } of all) {
    const text = typeof request === 'number' ? (REQUESTS[request] ?? '') : styled(style, request)
    if (typeof at === 'number') cut.push(text.slice(0, at), text.slice(at))
    else if (at === 'joined' && cut.length > 0) cut.push((cut.pop() ?? '') + text)
    else cut.push(text)
  }
  return cut.filter((text) => text !== '')
})

const turn = () => new Promise((resolve) => setImmediate(resolve))

const GARBAGE = 'HTTP/1.1 400 Bad Request'

/** All that the server says; each chunk is read by itself. */
async function answersOf(server: Server, all: readonly string[]): Promise<string> {
  const client = new RawClient(server.port)
  client.socket.setNoDelay()
  await once(client.socket, 'connect')
  while (server.bytesRead() > 0) await turn() // of the connection before
  let bytes = 0
  for (const chunk of all) {
    client.write(chunk)
    bytes += chunk.length
    while (!client.isClosed && server.bytesRead() < bytes) await turn()
    await turn()
  }
  client.socket.end()
  const said = await client.end()
  client.destroy()
  return said.replace(/Date: [^\r]*/g, 'Date:')
}

/** Where the platform meets garbage, answers that were on their way may be lost, as it happens. */
function expectSame(a: string, b: string): void {
  const [[goodA, ...badA], [goodB, ...badB]] = [a.split(GARBAGE), b.split(GARBAGE)] as [
    [string, ...string[]],
    [string, ...string[]]
  ]
  expect(badA).toEqual(badB)
  if (badA.length === 0) expect(a).toBe(b)
  else expect(goodA.startsWith(goodB) || goodB.startsWith(goodA), `${a}\n---\n${b}`).toBe(true)
}

test('the answers are the same', async () => {
  const answered: string[] = []
  await fc.assert(
    fc.asyncProperty(chunks, async (all) => {
      const before = quick.quick.length
      const [a, b] = [await answersOf(quick, all), await answersOf(plain, all)]
      expectSame(a, b)
      answered.push(...quick.quick.slice(before))
    }),
    { numRuns: 1_500 }
  )
  // else nothing was tried
  expect(answered.filter((read) => read.startsWith('/')).length).toBeGreaterThan(20)
  expect(answered.filter((read) => read.startsWith('304')).length).toBeGreaterThan(20)
}, 60_000)
