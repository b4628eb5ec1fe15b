// Who repeated reads on one connection count for, and where one request ends, on a real server.

import { afterEach, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { type HttpNode, LOCAL_KEY, NO_RATES, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'
import type { RawClient } from '../../support/raw-client.ts'

const URL = '/images/a.svg'
const KEY = { Authorization: `Bearer ${LOCAL_KEY}` }
const BYTES = 200_000
/** More than two sockets of one machine keep on their way. */
const LARGE_BYTES = 9_000_000

let http: HttpNode
let clients: RawClient[] = []
afterEach(async () => {
  for (const client of clients) client.destroy()
  clients = []
  await http.close()
})

/** Each address may have one request at one time. */
async function start(trustedProxies: readonly string[] = [], addressMax = 1): Promise<void> {
  const options = {
    inWork: { addressMax, keyMax: 0 },
    rates: { ...NO_RATES, loopback: true },
    hotBytesMax: 2 ** 25
  }
  http = await startHttpNode({ options, trustedProxies })
  await http.node.put('a.svg', Buffer.concat([tinyImage(1), Buffer.alloc(BYTES, ' ')]))
  await http.node.put('large.svg', Buffer.concat([tinyImage(2), Buffer.alloc(LARGE_BYTES, ' ')]))
}

function connect(): RawClient {
  const client = http.connect()
  clients.push(client)
  return client
}

const get = (url: string, lines = '') => `GET ${url} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`
const answersOf = ({ received }: RawClient) => received.split('HTTP/1.1 ').slice(1)

/** The status of the next answer, once it is whole. */
async function next(client: RawClient, request: string): Promise<string> {
  const before = answersOf(client).length
  client.write(request)
  let status = ''
  await eventually(() => {
    const [head = '', body = ''] = (answersOf(client)[before] ?? '').split('\r\n\r\n')
    expect(body).toHaveLength(Number(/Content-Length: (\d+)/i.exec(head)?.[1]))
    status = head.slice(0, 3)
  })
  return status
}

const readsOf = async (): Promise<number> => {
  const text = (await http.send('/metrics', { headers: KEY })).bytes.toString()
  const line = /tumesh_http_requests_total\{route="image",method="GET",status="200"\} (\d+)/
  return Number(line.exec(text)?.[1] ?? 0)
}

test('who asks for the health first may have no more than others', async () => {
  await start()
  for (let n = 0; n < 3; n++) expect(await next(connect(), get(URL))).toBe('200')
  const slow = connect()
  slow.write(get('/images/large.svg'))
  await slow.until(/^HTTP\/1\.1 200/)
  slow.socket.pause()
  const client = connect()
  expect(await next(client, get('/healthz'))).toBe('200')
  expect(await next(client, get(URL))).toBe('429')
})

test('an answer counts for the client who asked for it until it has left', async () => {
  await start(['127.0.0.1'])
  const first = get(URL, 'X-Forwarded-For: 203.0.113.1\r\n')
  const proxy = connect()
  for (let n = 0; n < 3; n++) expect(await next(proxy, first)).toBe('200')
  proxy.socket.pause()
  // until the system takes no more, so that an answer is on its way
  for (let sent = 4, isTaken = true; isTaken; sent++) {
    proxy.write(first)
    const isCounted = async () => expect(await readsOf()).toBe(sent)
    isTaken = await eventually(isCounted, { withinMs: 300 }).then(
      () => true,
      () => false
    )
  }
  const other = get('/images/none', 'X-Forwarded-For: 203.0.113.2\r\n')
  proxy.write(other)
  await eventually(async () => expect(await next(connect(), other)).toBe('429'))
  expect(await next(connect(), first)).toBe('429')
  proxy.socket.resume()
  await proxy.until(/HTTP\/1\.1 404/)
  await eventually(async () => expect(await next(connect(), first)).toBe('200'))
})

test('a body after an expectation that nobody knows is no request', async () => {
  await start([], 0)
  const client = connect()
  for (let n = 0; n < 3; n++) expect(await next(client, get(URL))).toBe('200')
  const body = get(URL)
  const lines = `Expect: something\r\nContent-Length: ${body.length}\r\n`
  expect(await next(client, get(URL, lines))).toBe('200')
  client.write(body)
  expect(await next(client, get('/healthz'))).toBe('200')
  expect(answersOf(client)).toHaveLength(5)
})
