import { createHash } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import type { ServerOptions } from '../../../src/http/server.ts'
import { type HttpNode, LOCAL_KEY, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

const HASH = createHash('sha256').update(tinyImage(1)).digest('hex')
/** As a proxy sends it: from this machine, and not keyless. */
const far = { 'X-Forwarded-For': '203.0.113.9' }
const key = { Authorization: `Bearer ${LOCAL_KEY}` }

let http: HttpNode
afterEach(() => http.close())

async function start(options: Partial<ServerOptions>): Promise<void> {
  http = await startHttpNode({ options })
  for (const [n, path] of ['2024/a.svg', 'b.svg', 'notice.svg'].entries()) {
    await http.node.put(path, tinyImage(n + 1))
  }
}

const statusOf = async (path: string, headers: Record<string, string> = far) =>
  (await http.send(path, { headers })).status
const sign = (wish: object) =>
  http.send('/api/sign', { method: 'POST', body: JSON.stringify(wish), headers: key })

test('a signed address opens what needs a key otherwise, and nothing else', async () => {
  await start({ read: 'key', signedUrls: true })
  expect([await statusOf('/images/b.svg'), await statusOf('/images/b.svg', key)]).toEqual([
    401, 200
  ])
  const { json: one } = await sign({ path: 'b.svg', expires_in: 60 })
  expect([await statusOf(one.url), await statusOf(one.url)]).toEqual([200, 200])
  expect((await http.send(one.url, { method: 'HEAD', headers: far })).status).toBe(200)
  expect(await statusOf(one.url.replace('b.svg', '2024/a.svg'))).toBe(403)
  const { json: many } = await sign({ prefix: '2024/' })
  expect(await statusOf(`/images/2024/a.svg${many.query}`)).toBe(200)
  expect(await statusOf(`/images/b.svg${many.query}`)).toBe(403)
  const { json: bytes } = await sign({ sha256: HASH })
  expect(await statusOf(bytes.url)).toBe(200)
  expect(await statusOf(`/api/storage-status${one.query}`)).toBe(401)
  const put = { method: 'PUT', body: tinyImage(9), headers: far }
  expect((await http.send(one.url, put)).status).toBe(401)
  http.node.clock.advance(60_000)
  const late = await http.send(one.url, { headers: far })
  expect([late.status, late.json.detail]).toEqual([403, 'The time of this address is over.'])
  expect(late.headers['cache-control']).toBe('no-store')
})

test('an address that was signed for a key ends with the key, whoever has it', async () => {
  await start({ read: 'key', signedUrls: true })
  const make = async (name: string) => {
    const body = JSON.stringify({ name, scopes: ['write'] })
    return (await http.send('/api/keys', { method: 'POST', body, headers: key })).json
  }
  const [first, second] = [await make('first'), await make('second')]
  const signFor = async (bearer: string, expires_in: number) => {
    const body = JSON.stringify({ path: 'b.svg', expires_in })
    const headers = { ...far, Authorization: `Bearer ${bearer}` }
    return (await http.send('/api/sign', { method: 'POST', body, headers })).json.url as string
  }
  const tenYears = 10 * 365 * 86_400
  const urls = [await signFor(first.key, tenYears), await signFor(second.key, tenYears)] as const
  expect(urls[0]).toContain(`&key=${first.id}&`)
  expect([await statusOf(urls[0]), await statusOf(urls[1])]).toEqual([200, 200])
  const own = (await sign({ path: 'b.svg' })).json.url
  await http.send(`/api/keys/${first.id}`, { method: 'DELETE', headers: key })
  const late = await http.send(urls[0], { headers: far })
  expect([late.status, late.json.detail]).toEqual([403, expect.stringContaining('revoked')])
  expect([await statusOf(urls[1]), await statusOf(own)]).toEqual([200, 200])
})

test('it is nothing unless that is switched on', async () => {
  await start({ read: 'key' })
  expect((await sign({ path: 'b.svg' })).status).toBe(403)
  expect(await statusOf('/api/signing-key', key)).toBe(403)
  expect(await statusOf(`/images/b.svg?expires=99999999999&signature=${HASH}`)).toBe(401)
})

test('what can not be signed is told', async () => {
  await start({ signedUrls: true })
  for (const wish of [{}, { path: 'a', prefix: 'b' }, { path: '../a' }, { sha256: 'x' }]) {
    expect((await sign(wish)).status).toBe(422)
  }
  expect((await http.send('/api/signing-key', { headers: key })).json.key).toMatch(/^[0-9a-f]{64}$/)
})

const hotlink = { allowed: ['example.org'], withoutReferer: 'allow' } as const
const by = (page: string) => ({ Referer: page })

test('pages of other sites show no images, however the address is spelled', async () => {
  await start({ hotlink: { ...hotlink, placeholder: undefined }, signedUrls: true })
  for (const path of [
    '/images/b.svg',
    '/static/data/images/b.svg',
    `/blobs/${HASH}`,
    '/%69mages/b.svg'
  ]) {
    for (let n = 0; n < 3; n++) {
      expect([path, await statusOf(path, by('https://evil.test/'))]).toEqual([path, 403])
      expect([path, await statusOf(path, by('https://example.org/'))]).toEqual([path, 200])
      expect([path, await statusOf(path, {})]).toEqual([path, 200])
    }
  }
  const seen = await http.send('/images/b.svg', { headers: by('https://example.org/') })
  expect(seen.headers.vary).toContain('Referer')
  expect(await statusOf('/images/b.svg', { ...by('https://evil.test/'), ...key })).toBe(200)
  const { json } = await sign({ path: 'b.svg' })
  expect(await statusOf(json.url, by('https://evil.test/'))).toBe(200)
})

test('they get another image where a person has chosen one', async () => {
  await start({ hotlink: { ...hotlink, placeholder: 'notice.svg' } })
  const evil = await http.send('/images/b.svg', { headers: by('https://evil.test/') })
  expect([evil.status, evil.bytes]).toEqual([200, tinyImage(3)])
  expect(evil.headers['cache-control']).toBe('no-store')
  expect((await http.send('/images/b.svg')).bytes).toEqual(tinyImage(2))
  await http.send('/images/notice.svg', { method: 'DELETE' })
  expect(await statusOf('/images/b.svg', by('https://evil.test/'))).toBe(403)
})
