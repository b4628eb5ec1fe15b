// Behind nginx and Caddy: what clients get is what the node says, and nobody gets in by the proxy.

import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeSvg } from '../fixtures/make-images.ts'
import { put, send } from '../support/http-client.ts'
import { hasProgram, type RunningProxy, startCaddy, startNginx } from '../support/proxies.ts'
import { type Reply, sendRaw } from '../support/raw-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const SMALL = makeSvg({ seed: 1 })
const LARGE = Buffer.concat([SMALL, Buffer.alloc(3_000_000, randomBytes(1000).toString('hex'))])
const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const PATH = '/images/a b/图 1.svg'

const PROXIES: readonly {
  readonly name: string
  readonly program: string
  readonly trusted: boolean
  start(folder: string, node: RealNode, data: string): Promise<RunningProxy>
}[] = [
  {
    ...{ name: 'nginx', program: 'nginx', trusted: false },
    start: (folder, { port }) =>
      startNginx(
        folder,
        `location / {
          proxy_pass http://127.0.0.1:${port}; proxy_http_version 1.1;
          proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_request_buffering off; proxy_buffering off;
        }`
      )
  },
  {
    ...{ name: 'Caddy', program: 'caddy', trusted: false },
    start: (folder, { port }) => startCaddy(folder, `  reverse_proxy 127.0.0.1:${port}`)
  },
  {
    ...{ name: 'nginx that sends the bytes itself', program: 'nginx', trusted: true },
    start: (folder, { port }, data) =>
      startNginx(
        folder,
        `location / { proxy_pass http://127.0.0.1:${port}; proxy_http_version 1.1; }
        location /tumesh-blobs/ {
          internal; alias ${data}/blobs/; etag off;
          add_header ETag $upstream_http_etag; add_header X-File-Hash $upstream_http_x_file_hash;
          add_header X-Image-Source $upstream_http_x_image_source;
          add_header X-Content-Type-Options nosniff;
          add_header Content-Security-Policy $upstream_http_content_security_policy;
          add_header X-Sent-By nginx;
        }`
      )
  }
]

describe.each(PROXIES)('behind $name', ({ program, trusted, start }) => {
  // in CI the package is there, and a skipped test fails the run
  const isHere = hasProgram(program)
  const check = isHere
    ? test
    : (name: string, _: () => unknown) => test.skip(`${name}: ${program} is not installed`)
  let bench: Workbench
  let node: RealNode
  let proxy: RunningProxy | undefined
  let key: Record<string, string>

  beforeAll(async () => {
    bench = new Workbench()
    const env = trusted
      ? { TUMESH_HTTP_TRUSTED_PROXIES: '127.0.0.0/8', TUMESH_HTTP_ACCEL_LOCATION: '/tumesh-blobs/' }
      : {}
    node = await bench.start('a', { env })
    if (!isHere) return
    key = await makeKey(bench, node)
    expect((await put(node.url, 'a b/图 1.svg', SMALL, key)).status).toBe(201)
    expect((await put(node.url, 'large.svg', LARGE, key)).status).toBe(201)
    proxy = await start(bench.path('proxy'), node, bench.path('a'))
  }, 60_000)
  afterAll(async () => {
    await proxy?.end()
    await bench.cleanUp()
  })

  const get = (path: string, headers: Record<string, string> = {}): Promise<Reply> =>
    sendRaw(Number(new URL((proxy as RunningProxy).url).port), encodeURI(path), { headers })

  check('images come whole, in parts, and not at all where the client has them', async () => {
    for (const [path, bytes] of [
      [PATH, SMALL],
      ['/images/large.svg', LARGE]
    ] as const) {
      const whole = await get(path)
      expect([path, whole.status, whole.bytes.equals(bytes)]).toEqual([path, 200, true])
      expect(whole.headers).toMatchObject({
        etag: `"${hashOf(bytes)}"`,
        'content-type': 'image/svg+xml',
        'x-file-hash': createHash('md5').update(bytes).digest('hex'),
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining('sandbox')
      })
      expect(whole.headers['x-sent-by']).toBe(trusted ? 'nginx' : undefined)
      const part = await get(path, { Range: 'bytes=10-19' })
      expect([part.status, part.bytes]).toEqual([206, bytes.subarray(10, 20)])
      expect(part.headers['content-range']).toBe(`bytes 10-19/${bytes.length}`)
      const again = await get(path, { 'If-None-Match': `"${hashOf(bytes)}"` })
      expect([again.status, again.bytes.length]).toEqual([304, 0])
    }
    expect((await get('/images/large.svg', { Range: 'bytes=9999999-' })).status).toBe(416)
    expect((await get('/images/nothing.svg')).status).toBe(404)
    expect((await get('/tumesh-blobs/aa/bb')).status).toBe(404)
  })

  check('nobody changes anything by way of it without a key', async () => {
    const { url } = proxy as RunningProxy
    expect((await put(url, 'evil.svg', SMALL)).status).toBe(401)
    expect((await send(`${url}/images/large.svg`, { method: 'DELETE' })).status).toBe(401)
    expect((await send(`${url}/api/keys`)).status).toBe(401)
  })

  check('a large upload with a key streams through, and is readable', async () => {
    const { url } = proxy as RunningProxy
    expect((await put(url, 'up.svg', LARGE, key)).status).toBe(201)
    const { status, bytes } = await get('/images/up.svg')
    expect([status, bytes.equals(LARGE)]).toEqual([200, true])
    if (!trusted) return
    const direct = await sendRaw(node.port, '/images/up.svg', { headers: {} })
    expect(direct.status).toBe(200)
  })
})

/** A key that counts from anywhere. */
async function makeKey(bench: Workbench, node: RealNode): Promise<Record<string, string>> {
  const local = readFileSync(`${bench.path('a')}/metadata/local.key`, 'utf8').trim()
  const { status, body } = await send(`${node.url}/api/keys`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${local}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'crawler', scopes: ['write'] })
  })
  expect(status).toBe(200)
  return { Authorization: `Bearer ${body.key}` }
}
