import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ServerState } from '../../../../src/flows/status.ts'
import { fakeMesh, fakeServer } from '../../../support/fake-mesh.ts'
import { type HttpNode, startHttpNode } from '../../../support/http-node.ts'
import { tinyImage } from '../../../support/memory-node.ts'
import type { RawClient } from '../../../support/raw-client.ts'

let http: HttpNode
let server: { state: ServerState; fault?: Error } = { state: 'online' }
const clients: RawClient[] = []

beforeEach(async () => {
  server = { state: 'online' }
  const servers = () => {
    if (server.fault !== undefined) throw server.fault
    return [fakeServer({ name: 'b', peerId: 'peer-b', state: server.state })]
  }
  http = await startHttpNode({ parts: () => ({ mesh: fakeMesh({ servers }) }) })
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  http.node.flows.feed.end()
  await http.close()
})

function open(path: string, headers = ''): RawClient {
  const client = http.connect()
  clients.push(client)
  client.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\n${headers}\r\n`)
  return client
}

test('what happens is told while it happens', async () => {
  const client = open('/api/events')
  const head = await client.until(/event: progress/)
  expect(head).toMatch(/content-type: text\/event-stream\r\n/i)
  expect(head).toMatch(/cache-control: no-store/i)
  await http.node.put('a/b.svg', tinyImage(1))
  const told = await client.until(/event: entry\ndata: .*\n\n/)
  expect(told).toMatch(/"path":"a\/b\.svg","sha256":"[0-9a-f]{64}","size":\d+,"writer":"peer-a"/)
  await http.send('/images/a/b.svg', { method: 'DELETE' })
  await client.until(/event: deleted\ndata: .*"path":"a\/b\.svg"/)
  server.state = 'offline'
  http.node.clock.advance(1000)
  await client.until(/event: peer\ndata: .*"name":"b".*"status":"offline"/)
})

test('what can not be looked at for a moment ends nothing, and is told afterwards', async () => {
  const client = open('/api/events')
  await client.until(/event: progress/)
  server.fault = new Error('Database is not open')
  http.node.clock.advance(1000)
  server = { state: 'offline' }
  http.node.clock.advance(1000)
  await client.until(/event: peer\ndata: .*"name":"b".*"status":"offline"/)
})

test('who comes back with its last id gets what came after, and nothing twice', async () => {
  const first = open('/api/events?kinds=entry')
  await first.until(/\nid: \w+-0\n/)
  await http.node.put('a.svg', tinyImage(1))
  const [, id] = /id: (\w+-\d+)\nevent: entry/.exec(await first.until(/event: entry/)) ?? []
  first.destroy()
  await http.node.put('b.svg', tinyImage(2))
  const again = open('/api/events?kinds=entry', `Last-Event-ID: ${id}\r\n`)
  const told = await again.until(/b\.svg/)
  expect(told).not.toContain('a.svg')
  const other = await open('/api/events?kinds=entry&last_event_id=another-99').until(/b\.svg/)
  expect(other).toContain('a.svg')
})

test('the old address has them as lines, and as messages for a page', async () => {
  await http.node.put('a.svg', tinyImage(1))
  const lines = await open('/stream-logs').until(/ entry path=a\.svg /)
  expect(lines).toMatch(/content-type: text\/plain/i)
  const messages = await open('/stream-logs', 'Accept: text/event-stream\r\n').until(/a\.svg/)
  expect(messages).toMatch(/\ndata: \S+Z entry path=a\.svg /)
})

test('it needs the right to read, and says what it does not know', async () => {
  const headers = { Origin: 'https://evil.example' }
  expect((await http.send('/api/events', { headers })).status).toBe(401)
  expect((await http.send('/stream-logs', { headers })).status).toBe(401)
  const { status, json } = await http.send('/api/events?kinds=entry,nonsense')
  expect([status, json.code]).toEqual([422, 'VALIDATION'])
})

test('an answer to HEAD ends', async () => {
  for (const path of ['/api/events', '/stream-logs']) {
    expect((await http.send(path, { method: 'HEAD' })).status).toBe(200)
  }
})

test('a client that leaves is no longer counted, and too many are told so', async () => {
  const { feed } = http.node.flows
  const client = open('/api/events')
  await client.until(/event: progress/)
  expect(feed.watchers).toBe(1)
  client.destroy()
  await expect.poll(() => feed.watchers).toBe(0)
  const leave = new AbortController()
  const many = Array.from({ length: 200 }, () => feed.watch(0, leave.signal))
  await http.node.put('a.svg', tinyImage(1))
  await Promise.all(many.map((watch) => watch.next()))
  const { status, headers, json } = await http.send('/api/events')
  expect([status, json.code]).toEqual([503, 'BUSY'])
  expect(headers['retry-after']).toBeDefined()
  leave.abort()
  await Promise.all(many.map((watch) => watch.next()))
})

test('a stop does not wait for who watches', async () => {
  const client = open('/api/events')
  await client.until(/event: progress/)
  http.node.flows.feed.end()
  await client.until(/0\r\n\r\n$/)
})
