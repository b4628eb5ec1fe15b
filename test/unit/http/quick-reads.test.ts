import { afterEach, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { etagOf, startQuickServer } from '../../support/quick-server.ts'
import { RawClient } from '../../support/raw-client.ts'

const LINES = 'Host: a\r\nAccept: image/*\r\n\r\n'
const get = (url: string, lines = LINES) => `GET ${url} HTTP/1.1\r\n${lines}`

let server: Awaited<ReturnType<typeof startQuickServer>>
let client: RawClient
afterEach(async () => {
  client.destroy()
  await server.close()
})

async function start(options = {}) {
  server = await startQuickServer(options)
  client = new RawClient(server.port)
}

/** Sends it, and waits for so many answers in all, each of which ends with the text. */
async function say(text: string, answers: number, end = 'kept'): Promise<void> {
  client.write(text)
  await client.until(new RegExp(`(HTTP/1.1 200[\\s\\S]*?\r\n\r\n${end}[\\s\\S]*){${answers}}$`))
}

const undated = (text: string) => text.replace(/Date: [^\r]*/g, 'Date:')

test('a request like the one before is answered as the platform answers', async () => {
  await start()
  await say(get('/kept/1'), 1)
  expect([server.seen, server.quick]).toEqual([['GET /kept/1'], []])
  const first = client.received
  await say(get('/kept/2'), 2)
  await say(get('/kept/1'), 3)
  expect(server.seen).toHaveLength(1)
  expect(server.quick).toEqual(['/kept/2', '/kept/1'])
  const second = undated(first).replace(etagOf(1), etagOf(2))
  expect(undated(client.received)).toBe(undated(first) + second + undated(first))
  await say(get('/other'), 4, '(kept|/other)')
  await say(get('/kept/1'), 5, '(kept|/other)')
  expect(server.seen).toEqual(['GET /kept/1', 'GET /other'])
  expect(server.inWork.total).toBe(0)
})

test.each([
  ['other lines', get('/kept/2', `Host: b\r\n\r\n`)],
  ['one line more', get('/kept/2', `X: y\r\n${LINES}`)],
  ['another method', get('/kept/2').replace('GET', 'OPTIONS')],
  ['an old version', get('/kept/2').replace('1.1', '1.0')],
  ['an address that is not kept', get('/other')],
  ['lines that end otherwise', get('/kept/2').replaceAll('\r\n', '\n')],
  ['two at once', get('/kept/2') + get('/kept/3')],
  ['no request', 'GET /kept/2\r\n\r\n'],
  ['a request after an empty line', `\r\n${get('/kept/2')}`],
  ['a request of another within a line', `GET /x HTTP/1.1\r\nX: ${get('/kept/2')}`]
])('%s: goes to the platform', async (_what, text) => {
  await start()
  await say(get('/kept/1'), 1)
  client.write(text)
  await client.until(/kept[\s\S]*HTTP\/1\.1 /)
  expect(server.quick).toEqual([])
})

const same = (n: number, of = n) => get(`/kept/${n}`, `If-None-Match: ${etagOf(of)}\r\n${LINES}`)

test('who has the bytes already is told so at once, whichever image it is', async () => {
  await start()
  const answers = (count: number) =>
    client.until(new RegExp(`(HTTP/1.1 304 [\\s\\S]*?\r\n\r\n){${count}}$`))
  client.write(same(1))
  const first = await answers(1)
  client.write(same(22))
  await answers(2)
  client.write(same(1))
  await answers(3)
  const second = undated(first).replace(etagOf(1), etagOf(22))
  expect(undated(client.received)).toBe(undated(first) + second + undated(first))
  expect([server.seen, server.quick]).toEqual([['GET /kept/1'], ['304 /kept/22', '304 /kept/1']])
  // the lines without it are others, and the first ones stay known
  await say(get('/kept/2'), 1)
  client.write(same(2))
  await client.until(/kept[\s\S]*304 [\s\S]*\r\n\r\n$/)
  await say(get('/kept/1'), 1, 'kept[\\s\\S]*304[\\s\\S]*kept')
  expect(server.quick).toEqual(['304 /kept/22', '304 /kept/1', '304 /kept/2', '/kept/1'])
  expect(server.inWork.total).toBe(0)
})

test('who has other bytes gets those of now from the platform', async () => {
  await start()
  client.write(same(1))
  await client.until(/304 [\s\S]*\r\n\r\n$/)
  client.write(same(2, 1))
  await client.until(/304 [\s\S]*HTTP\/1.1 200 [\s\S]*kept$/)
  expect([server.seen, server.quick]).toEqual([['GET /kept/1', 'GET /kept/2'], []])
})

test('heads are answered without bodies', async () => {
  await start()
  const head = (n: number) => get(`/kept/${n}`).replace('GET', 'HEAD')
  client.write(head(1))
  const first = await client.until(/200 OK[\s\S]*\r\n\r\n$/)
  client.write(head(2))
  await client.until(/(HTTP\/1.1 200 OK[\s\S]*?\r\n\r\n){2}$/)
  const second = undated(first).replace(etagOf(1), etagOf(2))
  expect(undated(client.received)).toBe(undated(first) + second)
  expect(server.quick).toEqual(['HEAD /kept/2'])
})

test.each([
  'Range: bytes=0-1',
  'If-None-Match: "x"',
  `If-None-Match: ${etagOf(3)}, ${etagOf(4)}`,
  'If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT',
  'Cookie: a=b',
  'Authorization: Bearer x',
  'Connection: close',
  'Connection: Upgrade',
  'Content-Length: 0',
  'Expect: 100-continue'
])('a client that says %s is answered by the platform', async (line) => {
  await start()
  const lines = `${line}\r\n${LINES}`
  await say(get('/kept/1', lines), 1)
  client.write(get('/kept/2', lines))
  if (line === 'Connection: close') await client.end()
  else await say('', 2)
  expect(server.quick).toEqual([])
})

test('what is a part of a request means nothing by itself, also later', async () => {
  await start()
  await say(get('/kept/1'), 1)
  // the platform waits for the end of this one, whose line the next chunk would be
  client.write('GET /other HTTP/1.1\r\nX: ')
  await eventually(() => expect(client.socket.bytesWritten).toBe(get('/kept/1').length + 24))
  client.write(get('/kept/2'))
  await client.until(/kept[\s\S]*\/other$/)
  expect([server.seen, server.quick]).toEqual([['GET /kept/1', 'GET /other'], []])
  await say(get('/kept/2'), 2, '[\\s\\S]*kept')
  expect(server.quick).toEqual([])
})

test('a body that looks like a request is a body', async () => {
  await start()
  const body = get('/kept/2')
  await say(get('/kept/1'), 1)
  client.write(`PUT /other HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
  await eventually(() => expect(server.seen).toHaveLength(2))
  client.write(body)
  await say(get('/kept/3'), 3, '(kept|/other)')
  expect([server.seen, server.quick]).toEqual([
    ...[['GET /kept/1', 'PUT /other', 'GET /kept/3'], []]
  ])
})

test('lines within a body are no lines of the request after it', async () => {
  await start()
  const hidden = 'GET /kept/1 HTTP/1.1\r\nRange: bytes=0-1\r\nX: '
  client.write(`GET /other HTTP/1.1\r\nHost: a\r\nContent-Length: ${hidden.length}\r\n\r\n`)
  await eventually(() => expect(server.seen).toHaveLength(1))
  client.write(hidden + get('/kept/1'))
  await eventually(() => expect(server.seen).toHaveLength(2))
  client.write(hidden.replace('kept/1', 'kept/2') + get('/kept/1'))
  await say('', 3, '(kept|/other)')
  expect([server.seen.length, server.quick]).toEqual([3, []])
})

test('answers come in the order of their requests', async () => {
  await start()
  await say(get('/kept/1'), 1)
  client.write(get('/wait/1'))
  await eventually(() => expect(server.waiting).toHaveLength(1))
  client.write(get('/kept/2'))
  await eventually(() => expect(server.seen).toContain('GET /kept/2'))
  server.waiting[0]?.()
  await client.until(/kept[\s\S]*\/wait\/1[\s\S]*kept$/)
  await say(get('/kept/3'), 4, '(kept|/wait/1)')
  expect(server.quick).toEqual(['/kept/3'])
})

test('one that may have no more, or a node that stops, is answered by the platform', async () => {
  await start({ addressMax: 1 })
  await say(get('/kept/1'), 1)
  server.inWork.enter({ name: 'one', hasKey: false })
  await say(get('/kept/2'), 2)
  server.inWork.leave({ name: 'one', hasKey: false })
  server.isOpen = false
  await say(get('/kept/2'), 3)
  expect(server.quick).toEqual([])
  server.isOpen = true
  await say(get('/kept/2'), 4)
  expect(server.quick).toEqual(['/kept/2'])
  expect(server.inWork.total).toBe(0)
})
