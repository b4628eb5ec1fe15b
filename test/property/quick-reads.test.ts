// Whatever bytes come, however they are cut: a server that answers at once what is kept says what
// the platform says.

import { once } from 'node:events'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startQuickServer } from '../support/quick-server.ts'
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
  'garbage\r\n\r\n'
]

/** Chunks of whole requests, of parts, and of several. */
const chunks = fc
  .array(
    fc.record({
      request: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(REQUESTS.length - 1)),
      cut: fc.option(fc.nat(60), { freq: 4 }),
      isJoined: fc.boolean()
    }),
    { minLength: 1, maxLength: 8 }
  )
  .map((parts) => {
    const cut: string[] = []
    for (const { request, cut: at, isJoined } of parts) {
      const text = REQUESTS[request] ?? ''
      if (at !== null) cut.push(text.slice(0, at), text.slice(at))
      else if (isJoined && cut.length > 0) cut.push((cut.pop() ?? '') + text)
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
  let answered = 0
  await fc.assert(
    fc.asyncProperty(chunks, async (all) => {
      const before = quick.quick.length
      const [a, b] = [await answersOf(quick, all), await answersOf(plain, all)]
      expectSame(a, b)
      answered += quick.quick.length - before
    }),
    { numRuns: 500 }
  )
  expect(answered).toBeGreaterThan(20) // else nothing was tried
}, 60_000)
