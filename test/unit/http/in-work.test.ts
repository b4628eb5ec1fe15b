// Clients that read slowly are real ones: their answers do not fit into what the system buffers.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { InWork, WRITES_BEFORE_MAX } from '../../../src/http/in-work.ts'
import { eventually } from '../../support/eventually.ts'
import { type HttpNode, LOCAL_KEY, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'
import type { RawClient } from '../../support/raw-client.ts'

/** More than two sockets of one machine keep on their way. */
const LARGE_BYTES = 9_000_000
const KEY = { Authorization: `Bearer ${LOCAL_KEY}` }
const via = (address: string) => ({ 'X-Forwarded-For': address })

let http: HttpNode
let slow: RawClient[] = []
afterEach(async () => {
  for (const client of slow) client.destroy()
  slow = []
  await http.close()
})

async function start(addressMax: number, keyMax = 0, trustedProxies = ['127.0.0.1']) {
  const rates = { windowMs: 60_000, address: NONE, key: NONE, loopback: true }
  http = await startHttpNode({
    options: { inWork: { addressMax, keyMax }, rates },
    trustedProxies
  })
  await http.node.put('a.svg', tinyImage(1))
  await http.node.put('large.svg', Buffer.concat([tinyImage(2), Buffer.alloc(LARGE_BYTES, ' ')]))
}
const NONE = { requests: 0, bytes: 0 }

/** Asks for the large image, and reads no more than its beginning. */
async function readSlowly(address: string): Promise<RawClient> {
  const client = http.connect()
  slow.push(client)
  client.write(`GET /images/large.svg HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${address}\r\n\r\n`)
  await client.until(/^HTTP\/1\.1 200/)
  client.socket.pause()
  return client
}

const statusOf = async (address: string, method = 'GET') =>
  (await http.send('/images/a.svg', { method, headers: via(address) })).status

test('who reads slowly has so many answers at one time, and others have theirs', async () => {
  await start(3)
  const clients = [await readSlowly('203.0.113.1'), await readSlowly('203.0.113.1')]
  expect(await statusOf('203.0.113.1')).toBe(200)
  clients.push(await readSlowly('203.0.113.1'))
  const refused = await http.send('/images/a.svg', { headers: via('203.0.113.1') })
  expect([refused.status, refused.json.code, refused.headers['retry-after']]).toEqual([
    ...[429, 'TOO_MANY_REQUESTS', '1']
  ])
  expect(await statusOf('203.0.113.2')).toBe(200)
  expect((await http.send('/healthz', { headers: via('203.0.113.1') })).status).toBe(200)
  clients[0]?.destroy()
  await eventually(async () => expect(await statusOf('203.0.113.1')).toBe(200))
})

test('requests that one connection sends ahead count, too', async () => {
  await start(3)
  const client = await readSlowly('203.0.113.1')
  client.write(
    'GET /images/a.svg HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n'.repeat(2)
  )
  await eventually(async () => expect(await statusOf('203.0.113.1')).toBe(429))
  client.destroy()
  await eventually(async () => expect(await statusOf('203.0.113.1')).toBe(200))
})

test('a client whose writes take all that they may can still read', async () => {
  await start(4)
  for (let n = 0; n < 3; n++) await readSlowly('203.0.113.1')
  expect(await statusOf('203.0.113.1', 'DELETE')).toBe(429)
  expect(await statusOf('203.0.113.1')).toBe(200)
})

test('a key has a number of its own, wherever it is used', async () => {
  await start(1, 1, [])
  const client = http.connect()
  slow.push(client)
  const key = `Authorization: ${KEY.Authorization}`
  client.write(`GET /images/large.svg HTTP/1.1\r\nHost: a\r\n${key}\r\n\r\n`)
  await client.until(/^HTTP\/1\.1 200/)
  client.socket.pause()
  expect((await http.send('/images/a.svg', { headers: KEY })).status).toBe(429)
  expect((await http.send('/images/a.svg')).status).toBe(200)
})

test('0 is no limit', async () => {
  await start(0)
  for (let n = 0; n < 5; n++) await readSlowly('203.0.113.1')
  expect(await statusOf('203.0.113.1')).toBe(200)
})

test('when all clients together ask for too much, writes are sent away and reads are not', () => {
  const inWork = new InWork({ addressMax: 1, keyMax: 1 })
  const asked = (method: string) => ({ method }) as IncomingMessage
  const responses = Array.from({ length: WRITES_BEFORE_MAX }, () => ({}) as ServerResponse)
  for (const response of responses) inWork.admit(asked('GET'), response, undefined)
  const refused = {} as ServerResponse
  expect(() => inWork.admit(asked('PUT'), refused, undefined)).toThrow(/takes nothing new in/)
  inWork.end(refused)
  expect(inWork.total).toBe(WRITES_BEFORE_MAX)
  inWork.admit(asked('HEAD'), {} as ServerResponse, undefined)
  for (const response of responses.slice(0, 2)) {
    inWork.end(response)
    inWork.end(response)
  }
  expect(inWork.total).toBe(WRITES_BEFORE_MAX - 1)
  inWork.admit(asked('PUT'), {} as ServerResponse, undefined)
})
