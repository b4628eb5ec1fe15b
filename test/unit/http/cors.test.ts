import { afterEach, expect, test } from 'vitest'
import { type ContentHash, cidOf } from '../../../protocols/hash.ts'
import { type HttpNode, LOCAL_KEY, startHttpNode } from '../../support/http-node.ts'
import { tinyImage } from '../../support/memory-node.ts'

let http: HttpNode | undefined
afterEach(async () => {
  await http?.close()
  http = undefined
})

async function start(corsOrigins: readonly string[]): Promise<HttpNode> {
  http = await startHttpNode({ options: { corsOrigins } })
  await http.node.put('a.svg', tinyImage(1))
  return http
}

const PAGE = 'https://gallery.example'
const ask = (origin: string) => ({
  method: 'OPTIONS',
  headers: {
    Origin: origin,
    'Access-Control-Request-Method': 'PUT',
    'Access-Control-Request-Headers': 'authorization, content-type'
  }
})

test('by itself no page of another site may read', async () => {
  const { send } = await start([])
  const { status, headers } = await send('/images/a.svg', { headers: { Origin: PAGE } })
  expect(status).toBe(200)
  expect(headers['access-control-allow-origin']).toBeUndefined()
  expect(headers.vary).toBeUndefined()
  const preflight = await send('/images/a.svg', ask(PAGE))
  expect(preflight.headers['access-control-allow-methods']).toBeUndefined()
})

test('a listed one may, also parts and errors, and caches know that it depends on who asks', async () => {
  const { send } = await start([PAGE])
  for (const [path, range, expected] of [
    ['/images/a.svg', '', 200],
    ['/images/a.svg', 'bytes=0-3', 206],
    ['/images/gone.svg', '', 404],
    ['/api/storage-status', '', 200],
    ['/api/peers', '', 401]
  ] as const) {
    const asked = { Origin: PAGE, ...(range && { Range: range }) }
    const { status, headers } = await send(path, { headers: asked })
    expect([path, status]).toEqual([path, expected])
    expect(headers).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-expose-headers': expect.stringMatching(/Content-Range.*ETag.*X-File-Hash/),
      vary: 'Origin'
    })
    expect(headers['access-control-allow-credentials']).toBeUndefined()
  }
})

test('what depends on more than who asks says both', async () => {
  const { send, node } = await start([PAGE])
  const [image] = await Array.fromAsync(node.flows.index.list())
  const cid = cidOf(image?.hash as ContentHash)
  const headers = { Origin: PAGE, Accept: 'application/vnd.ipld.raw' }
  for (const path of [`/ipfs/${cid}`, '/file-sync/api/file-sync/files']) {
    const key = { ...headers, Authorization: `Bearer ${LOCAL_KEY}` }
    const answer = await send(path, { headers: key })
    expect([path, answer.status, answer.headers.vary]).toEqual([path, 200, 'Origin, Accept'])
  }
})

test('another one may not, and what is cached for it says so', async () => {
  const { send } = await start([PAGE])
  for (const origin of ['https://evil.example', `${PAGE}.evil.example`, 'null', '']) {
    const { headers } = await send('/images/a.svg', { headers: { Origin: origin } })
    expect(headers['access-control-allow-origin']).toBeUndefined()
    expect(headers.vary).toBe('Origin')
    const preflight = await send('/images/a.svg', ask(origin))
    expect(preflight.headers['access-control-allow-methods']).toBeUndefined()
  }
})

test('a listed page writes with a key, and only with one', async () => {
  const { send } = await start([PAGE])
  const { status, headers } = await send('/images/b.svg', ask(PAGE))
  expect(status).toBe(204)
  expect(headers).toMatchObject({
    'access-control-allow-origin': PAGE,
    'access-control-allow-methods': expect.stringContaining('PUT'),
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '7200'
  })
  const put = (more: Record<string, string>) =>
    send('/images/b.svg', {
      method: 'PUT',
      headers: { Origin: PAGE, ...more },
      body: tinyImage(2)
    })
  expect((await put({})).status).toBe(401)
  expect((await put({ Authorization: `Bearer ${LOCAL_KEY}` })).status).toBe(201)
})

test('all sites may where a person says so', async () => {
  const { send } = await start(['*'])
  const { headers } = await send('/images/a.svg', { headers: { Origin: 'https://any.example' } })
  expect(headers['access-control-allow-origin']).toBe('*')
  expect(headers.vary).toBeUndefined()
})

test('OPTIONS that is no question of a browser says what there is', async () => {
  const { send } = await start([PAGE])
  const { status, headers } = await send('/images/a.svg', {
    method: 'OPTIONS',
    headers: { Origin: PAGE }
  })
  expect([status, headers.allow]).toEqual([204, expect.stringContaining('PUT')])
})
