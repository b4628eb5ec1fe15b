import { afterEach, expect, test } from 'vitest'
import type { RateLimitOptions } from '../../../src/http/rate-limits.ts'
import { type HttpNode, LOCAL_KEY, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

const NONE = { requests: 0, bytes: 0 }
const key = { Authorization: `Bearer ${LOCAL_KEY}` }
const via = (address: string) => ({ 'X-Forwarded-For': address })

let http: HttpNode
afterEach(() => http.close())

async function start(rates: Partial<RateLimitOptions>, trustedProxies = ['127.0.0.1']) {
  http = await startHttpNode({
    options: { rates: { windowMs: 60_000, address: NONE, key: NONE, loopback: false, ...rates } },
    trustedProxies
  })
  await http.node.put('a.svg', tinyImage(1))
}
const get = (headers: Record<string, string>, path = '/images/a.svg') =>
  http.send(path, { headers })
const statuses = async (count: number, headers: Record<string, string>, path?: string) => {
  const seen: number[] = []
  for (let n = 0; n < count; n++) seen.push((await get(headers, path)).status)
  return seen
}

test('an address gets so many requests in a window, and they come back evenly', async () => {
  await start({ address: { requests: 3, bytes: 0 } })
  const first = await get(via('203.0.113.1'))
  expect([first.status, first.headers['ratelimit-limit']]).toEqual([200, '3'])
  expect(first.headers['ratelimit-remaining']).toBe('2')
  expect(first.headers['ratelimit-reset']).toBe('20')
  expect(await statuses(3, via('203.0.113.1'))).toEqual([200, 200, 429])
  const refused = await get(via('203.0.113.1'), '/api/storage-status')
  expect([refused.status, refused.json.code]).toEqual([429, 'TOO_MANY_REQUESTS'])
  expect([refused.headers['retry-after'], refused.headers['ratelimit-remaining']]).toEqual([
    '20',
    '0'
  ])
  expect(await statuses(1, via('203.0.113.2'))).toEqual([200])
  http.node.clock.advance(20_000)
  expect(await statuses(2, via('203.0.113.1'))).toEqual([200, 429])
  expect(await statuses(5, via('203.0.113.1'), '/healthz')).toEqual(Array(5).fill(200))
})

test('a network of IPv6 is one client', async () => {
  await start({ address: { requests: 1, bytes: 0 } })
  expect(await statuses(1, via('2001:db8::1'))).toEqual([200])
  expect(await statuses(1, via('2001:db8:0:0:ffff::2'))).toEqual([429])
  expect(await statuses(1, via('2001:db8:0:1::1'))).toEqual([200])
})

test('who has taken his bytes waits; a large answer is finished first', async () => {
  await start({ address: { requests: 0, bytes: 10_000 } })
  const large = Buffer.concat([tinyImage(2), Buffer.alloc(50_000, ' ')])
  await http.node.put('large.svg', large)
  expect((await get(via('203.0.113.1'), '/images/large.svg')).bytes).toEqual(large)
  const refused = await get(via('203.0.113.1'))
  expect([refused.status, Number(refused.headers['retry-after']) > 200]).toEqual([429, true])
  http.node.clock.advance(6 * 60_000)
  expect(await statuses(1, via('203.0.113.1'))).toEqual([200])
})

test('a key has limits of its own, and a wrong one none', async () => {
  await start(
    { address: { requests: 1, bytes: 0 }, key: { requests: 2, bytes: 0 }, loopback: true },
    []
  )
  expect(await statuses(3, key)).toEqual([200, 200, 429])
  const wrong = (n: number) => ({ Authorization: `Bearer wrong${n}` })
  expect((await get(wrong(1))).status).toBe(200)
  expect((await get(wrong(2))).status).toBe(429)
})

test('this machine is not limited, nor is what comes through a proxy that nobody named', async () => {
  await start({ address: { requests: 1, bytes: 0 } }, [])
  expect(await statuses(4, {})).toEqual(Array(4).fill(200))
  expect(await statuses(4, via('203.0.113.1'))).toEqual(Array(4).fill(200))
  expect(await statuses(4, { Via: '1.1 x' })).toEqual(Array(4).fill(200))
})

test('without limits nothing is said of them', async () => {
  await start({})
  expect((await get(via('203.0.113.1'))).headers['ratelimit-limit']).toBeUndefined()
})
