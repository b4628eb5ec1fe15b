// Who may do what, over real sockets: images are for everybody, changes for the node's own user or
// for keys.

import { spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeSvg } from '../fixtures/make-images.ts'
import { eventually } from '../support/eventually.ts'
import { type Reply, type Sent, sendRaw } from '../support/raw-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const API = '/file-sync/api/file-sync'
const image = makeSvg({ seed: 1 })

let bench: Workbench
let node: RealNode
const start = async () => {
  node = await bench.start('a', { flags: ['--log-level', 'trace'] })
}
beforeAll(async () => {
  bench = new Workbench()
  await start()
  expect((await call('PUT', '/images/kept.svg', {}, image)).status).toBe(201)
})
afterAll(() => bench.cleanUp())

/** Exactly these headers; a Host of ours unless another is given. */
function call(method: string, path: string, headers: Sent['headers'] = {}, body?: Sent['body']) {
  return sendRaw(node.port, path, { method, headers, body })
}

const JSON_TYPE = { 'content-type': 'application/json' }
/** One call of each kind that needs more than reading. */
const GUARDED: Readonly<Record<string, (headers: Record<string, string>) => Promise<Reply>>> = {
  'PUT an image': (headers) => call('PUT', '/images/n.svg', headers, makeSvg({ seed: 2 })),
  'upload a form': (headers) =>
    call('POST', `${API}/upload`, {
      ...headers,
      'content-type': 'multipart/form-data; boundary=b'
    }),
  'delete an image': (headers) => call('DELETE', '/images/kept.svg', headers),
  'delete many': (headers) =>
    call('DELETE', '/api/images', { ...headers, ...JSON_TYPE }, '{"paths":["kept.svg"]}'),
  'move an image': (headers) =>
    call('POST', '/api/move', { ...headers, ...JSON_TYPE }, '{"from":"kept.svg","to":"n.svg"}'),
  'list the images': (headers) => call('GET', `${API}/files`, headers),
  verify: (headers) => call('POST', `${API}/verify`, headers),
  'export the index': (headers) => call('POST', '/api/export-index', headers),
  'list the keys': (headers) => call('GET', '/api/keys', headers),
  'make a key': (headers) =>
    call('POST', '/api/keys', { ...headers, ...JSON_TYPE }, '{"name":"evil","scopes":["admin"]}')
}

const OPEN = ['/images/kept.svg', '/static/data/images/kept.svg', `${API}/download/kept.svg`]

async function expectReadable(headers: Record<string, string>): Promise<void> {
  for (const path of [...OPEN, `/blobs/${hash('sha256', image)}`]) {
    const { status, bytes } = await call('GET', path, headers)
    expect([path, status, bytes.equals(image)]).toEqual([path, 200, true])
  }
  for (const path of [
    '/healthz',
    '/readyz',
    '/api/storage-status',
    `${API}/status`,
    '/openapi.json'
  ]) {
    expect([path, (await call('GET', path, headers)).status]).toEqual([path, 200])
  }
}

async function expectRefused(headers: Record<string, string>, why: string): Promise<void> {
  for (const [what, ask] of Object.entries(GUARDED)) {
    const { status, json } = await ask(headers)
    expect([what, status, json.code]).toEqual([what, 401, 'UNAUTHORIZED'])
    expect(json.detail).toContain(why)
  }
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
/** A caller that could do nothing without a key. */
const foreign = (key: string) => ({ ...bearer(key), origin: 'https://evil.example' })

async function makeKey(...scopes: string[]): Promise<{ id: string; key: string }> {
  const body = JSON.stringify({ name: scopes.join('-'), scopes })
  const { status, json } = await call('POST', '/api/keys', JSON_TYPE, body)
  expect(status).toBe(200)
  return json
}

describe('without a key', () => {
  test.each([
    ['a page of another origin', { origin: 'https://evil.example' }, 'another origin'],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }, 'another origin'],
    ['a page without an origin', { origin: 'null' }, 'another origin'],
    ['a fetch across sites', { 'sec-fetch-site': 'cross-site' }, 'another site'],
    ['a fetch from a neighbour', { 'sec-fetch-site': 'same-site' }, 'another site']
  ])('%s may read images and change nothing', async (_who, headers, why) => {
    await expectRefused(headers, why)
    await expectReadable(headers)
  })

  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example'])(
    'a name that was rebound to us (%s) may read images and change nothing',
    async (name) => {
      const host = { host: `${name}:${node.port}` }
      await expectRefused(host, 'Host')
      await expectRefused({ ...host, origin: `http://${name}:${node.port}` }, 'Host')
      await expectReadable(host)
    }
  )

  test('our own page may do all', async () => {
    const own = { origin: `http://127.0.0.1:${node.port}`, 'sec-fetch-site': 'same-origin' }
    expect((await call('PUT', '/images/page.svg', own, makeSvg({ seed: 3 }))).status).toBe(201)
    const local = { host: `localhost:${node.port}`, origin: `http://localhost:${node.port}` }
    expect((await call('DELETE', '/images/page.svg?purge=true', local)).status).toBe(200)
  })

  test('a program of another user may read images and change nothing', (context) => {
    context.skip(process.getuid?.() !== 0, 'needs root, to become another user')
    const answers = callAsNobody([
      ['PUT', '/images/n.svg'],
      ['DELETE', '/images/kept.svg'],
      ['GET', '/api/keys'],
      ['POST', '/api/export-index'],
      ['GET', '/images/kept.svg']
    ])
    expect(answers.slice(0, -1)).toEqual(
      Array(4).fill(expect.stringMatching(/^401 .*another user/))
    )
    expect(answers.at(-1)).toBe(`200 ${image}`)
  })
})

/** Status and body of each call, made by a process of the user `nobody`. */
function callAsNobody(calls: readonly (readonly [method: string, path: string])[]): string[] {
  const script = `
    process.setgroups([]); process.setgid(65534); process.setuid(65534)
    const answers = []
    for (const [method, path] of ${JSON.stringify(calls)}) {
      const body = method === 'GET' ? undefined : 'x'
      const answer = await fetch('${node.url}' + path, { method, body })
      answers.push(answer.status + ' ' + await answer.text())
    }
    console.log(JSON.stringify(answers))`
  const args = ['--input-type=module', '--eval', script]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

describe('with a key', () => {
  test.each([
    ['read', [200, 403, 403]],
    ['write', [200, 201, 403]],
    ['admin', [200, 200, 200]]
  ] as const)('the scope %s opens what it says and no more', async (scope, statuses) => {
    const headers = foreign((await makeKey(scope)).key)
    const answers = [
      await call('GET', `${API}/files`, headers),
      await call('PUT', '/images/by-key.svg', headers, makeSvg({ seed: 4 })),
      await call('GET', '/api/keys', headers)
    ]
    expect(answers.map(({ status }) => status)).toEqual(statuses)
    for (const { status, json } of answers) if (status === 403) expect(json.code).toBe('FORBIDDEN')
  })

  test('one that was revoked opens nothing, at once and after a restart; others still do', async () => {
    const [revoked, kept] = [await makeKey('admin'), await makeKey('read')]
    const files = (key: string) => call('GET', `${API}/files`, foreign(key))
    expect((await files(revoked.key)).status).toBe(200)
    expect((await call('DELETE', `/api/keys/${revoked.id}`)).status).toBe(200)
    expect((await files(revoked.key)).status).toBe(401)
    await node.end('SIGTERM')
    await start()
    expect((await files(revoked.key)).status).toBe(401)
    expect((await files(kept.key)).status).toBe(200)
  })

  test('the local one opens all from this machine, and only its owner can read it', async () => {
    const file = bench.path('a', 'metadata', 'local.key')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const headers = foreign(readFileSync(file, 'utf8').trim())
    expect((await call('GET', '/api/keys', headers)).status).toBe(200)
    const wrong = foreign(
      readFileSync(file, 'utf8')
        .trim()
        .replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    )
    expect((await call('GET', '/api/keys', wrong)).status).toBe(401)
  })

  test('no key and nothing made of one is ever told again', async () => {
    const local = readFileSync(bench.path('a', 'metadata', 'local.key'), 'utf8').trim()
    const { id, key } = await makeKey('write')
    await call('GET', `${API}/files`, bearer(key))
    await call('GET', '/api/keys', bearer(key))
    await call('GET', `${API}/files`, bearer(`${key}x`))
    await call('GET', '/api/keys', bearer(local))
    const { json, bytes } = await call('GET', '/api/keys')
    expect(json.keys.find((one: { id: string }) => one.id === id)).toEqual({
      id,
      name: 'write',
      scopes: ['write'],
      created_at: expect.any(String)
    })
    const told = node.stderr + node.stdout + bytes
    for (const secret of [key, local, key.slice(-20)]) {
      expect(told).not.toContain(secret)
      for (const form of ['hex', 'base64', 'base64url'] as const)
        expect(told).not.toContain(hash('sha256', secret, form))
    }
  })
})

test.each([
  ['X-Forwarded-For', '203.0.113.5', '/images/kept.svg'],
  ['Forwarded', 'for=203.0.113.5', '/healthz']
])('%s on any request ends keyless access until the restart', async (header, value, path) => {
  const admin = foreign((await makeKey('admin')).key)
  const forwarded = { [header]: value }
  expect((await call('GET', path, forwarded)).status).toBe(200)

  await expectRefused({}, 'a forwarded request came from this machine earlier')
  await expectRefused(forwarded, 'the request was forwarded')
  await expectReadable({})
  expect((await call('GET', '/api/keys', { ...admin, ...forwarded })).status).toBe(200)
  await eventually(() => {
    // a slow machine warns of its own
    const isOf = (line: string) => line.startsWith('{"level":40') && line.includes('forwarded')
    const warnings = node.stderr.split('\n').filter(isOf)
    expect(warnings).toHaveLength(1)
    expect(JSON.parse(warnings[0] as string)).toMatchObject({
      header: header.toLowerCase(),
      msg: expect.stringMatching(/Make one: .*keys.* add/)
    })
  })

  await node.end('SIGTERM')
  await start()
  expect((await call('GET', '/api/keys')).status).toBe(200)
})
