// Images that are read again and again on one connection of a real server.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { type HttpNode, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'
import type { RawClient } from '../../support/raw-client.ts'

const URL = '/images/a.svg'
const REQUEST = `GET ${URL} HTTP/1.1\r\nHost: a\r\n\r\n`
const COUNT = 8

let http: HttpNode
let client: RawClient
beforeEach(async () => {
  http = await startHttpNode({ options: { hotBytesMax: 2 ** 25 } })
  client = http.connect()
})
afterEach(async () => {
  client.destroy()
  await http.close()
})

/** The text of the next answer on the connection. */
async function next(request = REQUEST): Promise<string> {
  const before = client.received.length
  client.write(request)
  let text = ''
  await eventually(() => {
    text = client.received.slice(before)
    const [head = '', body] = text.split('\r\n\r\n', 2)
    expect(body).toHaveLength(Number(/Content-Length: (\d+)/.exec(head)?.[1]))
  })
  return text
}

const undated = (text: string) => text.replace(/Date: [^\r]*/, 'Date:')
const figureOf = async (line: string): Promise<number> => {
  const text = (await http.send('/metrics')).bytes.toString()
  return Number(
    text
      .split('\n')
      .find((one) => one.startsWith(`${line} `))
      ?.slice(line.length)
  )
}

test('all answers are the same, and each is counted once', async () => {
  await http.node.put('a.svg', tinyImage(1))
  const before = await figureOf('tumesh_http_sent_bytes_total')
  const answers: string[] = []
  for (let n = 0; n < COUNT; n++) answers.push(undated(await next()))
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nConnection: keep-alive\r\n/)
  const requests = 'tumesh_http_requests_total{route="image",method="GET",status="200"}'
  expect(await figureOf(requests)).toBe(COUNT)
  const seconds = 'tumesh_http_request_duration_seconds_count{route="image"}'
  expect(await figureOf(seconds)).toBe(COUNT)
  const sent = (await figureOf('tumesh_http_sent_bytes_total')) - before
  expect(sent).toBeGreaterThanOrEqual(client.received.length)
})

test('what is written is read at once, and what is deleted is gone', async () => {
  await http.node.put('a.svg', tinyImage(1))
  for (let n = 0; n < 5; n++) await next()
  await http.node.put('a.svg', tinyImage(2))
  for (let n = 0; n < 5; n++) expect(await next()).toContain(tinyImage(2).toString())
  expect((await http.send(URL, { method: 'DELETE' })).status).toBe(200)
  expect(await next()).toMatch(/^HTTP\/1\.1 410 /)
})

test('who has the bytes is told so until they are others, and each answer is counted', async () => {
  const { entry } = await http.node.put('a.svg', tinyImage(1))
  for (let n = 0; n < 3; n++) await next()
  const same = `GET ${URL} HTTP/1.1\r\nHost: a\r\nIf-None-Match: "${entry.hash}"\r\n\r\n`
  const tell = async (answers: number): Promise<string> => {
    client.write(same)
    await client.until(new RegExp(`(HTTP/1.1 304 [\\s\\S]*?\\r\\n\\r\\n){${answers}}$`))
    return undated(client.received.split('HTTP/1.1 304').at(-1) ?? '')
  }
  const first = await tell(1)
  for (let n = 2; n < COUNT; n++) expect(await tell(n)).toBe(first)
  expect(first).toContain(`ETag: "${entry.hash}"`)
  const requests = 'tumesh_http_requests_total{route="image",method="GET",status="304"}'
  expect(await figureOf(requests)).toBe(COUNT - 1)
  await http.node.put('a.svg', tinyImage(2))
  expect(await next(same)).toContain(tinyImage(2).toString())
  expect((await http.send(URL, { method: 'DELETE' })).status).toBe(200)
  expect(await next(same)).toMatch(/^HTTP\/1\.1 410 /)
})

test('bytes that are blocked are not sent any more', async () => {
  const { entry } = await http.node.put('a.svg', tinyImage(1))
  for (let n = 0; n < 5; n++) await next()
  const headers = { 'Content-Type': 'application/json' }
  const body = JSON.stringify({ sha256: entry.hash, reason: 'a test' })
  expect((await http.send('/api/blocks', { method: 'POST', headers, body })).status).toBe(200)
  expect(await next()).toMatch(/^HTTP\/1\.1 451 /)
})

test('the date is that of the answer', async () => {
  await http.node.put('a.svg', tinyImage(1))
  for (let n = 0; n < 3; n++) await next()
  const dates: string[] = []
  for (let n = 0; n < 2; n++) {
    http.node.clock.advance(3_000)
    dates.push(/Date: (.*) GMT\r/.exec(await next())?.[1] ?? '')
  }
  expect(Date.parse(dates[1] ?? '') - Date.parse(dates[0] ?? '')).toBe(3_000)
})

test('a node that stops sends what it has begun, and no more', async () => {
  const bytes = Buffer.concat([tinyImage(1), Buffer.alloc(200_000, ' ')])
  await http.node.put('a.svg', bytes)
  for (let n = 0; n < 3; n++) await next()
  const before = client.received.length
  client.socket.pause()
  const requests = 'tumesh_http_requests_total{route="image",method="GET",status="200"}'
  // until the system takes no more, so that an answer is on its way
  for (let sent = 4, isTaken = true; isTaken; sent++) {
    client.write(REQUEST)
    const isCounted = async () => expect(await figureOf(requests)).toBe(sent)
    isTaken = await eventually(isCounted, { withinMs: 300 }).then(
      () => true,
      () => false
    )
  }
  const closed = http.server.close()
  client.socket.resume()
  const all = (await client.end()).slice(before)
  await closed
  const answers = all.split('HTTP/1.1 ').slice(1)
  expect(answers.length).toBeGreaterThan(1)
  for (const answer of answers) {
    expect(answer.split('\r\n\r\n')[1]).toHaveLength(bytes.length)
  }
})
