// Bytes that change or go away behind the node's back: never served, said loudly, healed by the
// right ones.

import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSvg } from '../fixtures/make-images.ts'
import { readPhoto } from '../fixtures/photos.ts'
import { md5, sha256 } from '../support/digests.ts'
import { type Answer, bytesAt, postJson, put, send } from '../support/http-client.ts'
import { type RealNode, Workbench } from '../support/real-node.ts'

const API = '/file-sync/api/file-sync'

interface Listed {
  readonly path: string
}

/** Nobody else looks at images/, and finds the damage first. */
const QUIET = { env: { TUMESH_ADOPT_ENABLED: 'false' } }

let bench: Workbench
let node: RealNode
beforeAll(async () => {
  bench = new Workbench()
  node = await bench.start('a', QUIET)
})
afterAll(() => bench.cleanUp())

const blobOf = (bytes: Uint8Array) =>
  bench.path('a', 'blobs', sha256(bytes).slice(0, 2), sha256(bytes))
const fileOf = (path: string) => bench.path('a', 'images', path)
const quarantined = () => readdirSync(bench.path('a', 'quarantine'))
const verify = async (body: object = {}) => (await postJson(`${node.url}${API}/verify`, body)).body
const status = async () => (await send(`${node.url}/api/storage-status`)).body

/** As the owner of the file can, whatever its mode says. */
function overwrite(file: string, bytes: Uint8Array): void {
  chmodSync(file, 0o644)
  writeFileSync(file, bytes)
  chmodSync(file, 0o444)
}

function flipByte(file: string): Buffer {
  const bytes = readFileSync(file)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] as number) ^ 1
  overwrite(file, bytes)
  return bytes
}

async function expectNotServed(addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    const { status, body, headers } = await send(node.url + address)
    expect([address, status, body.code]).toEqual([address, 503, 'NOT_AVAILABLE'])
    expect(body.detail).toMatch(/^[A-Z].*\.$/)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  }
}

async function stateOf(path: string): Promise<Answer['body']> {
  return (await send(`${node.url}${API}/file/${path}`)).body
}

async function expectHealed(path: string, bytes: Uint8Array): Promise<void> {
  const found = await bytesAt(`${node.url}/images/${path}`)
  expect([found.status, sha256(found.bytes)]).toEqual([200, sha256(bytes)])
  expect(readFileSync(fileOf(path)).equals(bytes)).toBe(true)
  expect(await status()).toMatchObject({ status: 'healthy', status_reasons: [] })
  expect(await verify({ paths: [path] })).toMatchObject({ valid_files: 1, corrupted_files: [] })
}

test('a damaged blob that verify finds is quarantined, listed, and healed by the right bytes', async () => {
  const photo = readPhoto(0)
  await put(node.url, 'sound.svg', makeSvg({ seed: 1 }))
  await put(node.url, 'dir/photo.jpg', photo)
  await postJson(`${node.url}/api/copy`, { from: 'dir/photo.jpg', to: 'copy.jpg' })
  const damaged = flipByte(blobOf(photo))

  const report = await verify()
  expect(report).toMatchObject({
    total_files: 3,
    verified_files: 3,
    valid_files: 1,
    missing_files: [],
    repaired_files: []
  })
  const facts = {
    expected: md5(photo),
    actual: md5(damaged),
    expected_sha256: sha256(photo),
    actual_sha256: sha256(damaged),
    action: expect.stringContaining('unrepairable')
  }
  const corrupted = report.corrupted_files.toSorted((a: Listed, b: Listed) =>
    a.path < b.path ? -1 : 1
  )
  expect(corrupted).toEqual([
    { path: 'copy.jpg', ...facts },
    { path: 'dir/photo.jpg', ...facts }
  ])
  expect(report.unrepairable_files.toSorted()).toEqual(['copy.jpg', 'dir/photo.jpg'])

  await expectNotServed(['/images/dir/photo.jpg', '/images/copy.jpg', `/blobs/${sha256(photo)}`])
  expect(existsSync(blobOf(photo))).toBe(false)
  expect([existsSync(fileOf('dir/photo.jpg')), existsSync(fileOf('copy.jpg'))]).toEqual([
    false,
    false
  ])
  expect(quarantined()).toHaveLength(1)
  const kept = readFileSync(bench.path('a', 'quarantine', quarantined()[0] as string))
  expect(kept.equals(damaged), 'for whoever wants to look at it').toBe(true)
  expect(await status()).toMatchObject({
    status: 'degraded',
    status_reasons: [expect.stringMatching(/^2 images are damaged .*\.$/)],
    corrupted_files: 2,
    local_files: 1,
    integrity: { corrupted_files: 2, unrepairable_files: 2 }
  })
  expect(await stateOf('copy.jpg')).toMatchObject({ state: 'corrupted', local: false, replicas: 0 })

  expect((await put(node.url, 'dir/photo.jpg', photo)).status).toBe(200)
  await expectHealed('dir/photo.jpg', photo)
  await expectHealed('copy.jpg', photo)
  const { history } = await stateOf('dir/photo.jpg')
  expect(history.map(({ event }: { event: string }) => event)).toEqual([
    'added',
    'damaged',
    'healed'
  ])
})

test('a damaged blob is noticed by the first who reads it', async () => {
  const photo = readPhoto(1)
  await put(node.url, 'read.jpg', photo)
  expect((await bytesAt(`${node.url}/images/read.jpg`)).status).toBe(200)
  flipByte(blobOf(photo))
  await expectNotServed(['/images/read.jpg', '/images/read.jpg'])
  const range = await fetch(`${node.url}/images/read.jpg`, { headers: { range: 'bytes=0-9' } })
  expect(range.status).toBe(503)
  await range.body?.cancel()
  expect(existsSync(fileOf('read.jpg'))).toBe(false)
  expect((await status()).status).toBe('degraded')

  expect((await put(node.url, 'elsewhere.jpg', photo)).status).toBe(201)
  await expectHealed('read.jpg', photo)
})

test('a blob that was cut short, or whose time was set back, is noticed as well', async () => {
  const changes: ((file: string) => void)[] = [
    (file) => overwrite(file, readFileSync(file).subarray(1)),
    (file) => overwrite(file, Buffer.alloc(0)),
    (file) => {
      const { atime, mtime } = statSync(file)
      flipByte(file)
      utimesSync(file, atime, mtime)
    }
  ]
  for (const [n, change] of changes.entries()) {
    const bytes = makeSvg({ seed: 10 + n })
    await put(node.url, 'cut.svg', bytes)
    change(blobOf(bytes))
    await expectNotServed(['/images/cut.svg'])
    await put(node.url, 'cut.svg', bytes)
    await expectHealed('cut.svg', bytes)
  }
})

test('a blob that was removed is missing, and healed by the right bytes', async () => {
  const bytes = makeSvg({ seed: 20 })
  await put(node.url, 'gone.svg', bytes)
  rmSync(blobOf(bytes))
  expect(await verify({ paths: ['gone.svg'] })).toMatchObject({
    valid_files: 0,
    corrupted_files: [],
    missing_files: ['gone.svg'],
    unrepairable_files: ['gone.svg']
  })
  await expectNotServed(['/images/gone.svg'])
  expect(await stateOf('gone.svg')).toMatchObject({ state: 'missing', local: false })
  expect(await status()).toMatchObject({
    status: 'degraded',
    status_reasons: [expect.stringMatching(/^1 image is missing.*\.$/)],
    missing_files: 1
  })
  await put(node.url, 'gone.svg', bytes)
  await expectHealed('gone.svg', bytes)
})

test('what is damaged while the node is down is noticed, and stays damaged over a restart', async () => {
  const [first, second] = [makeSvg({ seed: 30 }), makeSvg({ seed: 31 })]
  await put(node.url, 'first.svg', first)
  await put(node.url, 'second.svg', second)
  flipByte(blobOf(first))
  await expectNotServed(['/images/first.svg'])
  await node.end('SIGTERM')
  flipByte(blobOf(second))

  node = await bench.start('a', QUIET)
  await expectNotServed(['/images/first.svg', '/images/second.svg'])
  expect(await status()).toMatchObject({ status: 'degraded', corrupted_files: 2 })
  for (const [path, bytes] of Object.entries({ 'first.svg': first, 'second.svg': second })) {
    await put(node.url, path, bytes)
  }
  await expectHealed('first.svg', first)
  await expectHealed('second.svg', second)
})
