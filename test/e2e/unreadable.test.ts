// Sectors that a disk can't read any more: readers get the bytes of another server, the blob is
// replaced by that server's, and what nobody else has is listed with its reason.

import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { noiseBytes } from '../fixtures/make-images.ts'
import { expectSoundFolder, folderFaults } from '../support/check-folder.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { FragileDisk, fragileDiskObstacle } from '../support/fragile-disk.ts'
import { bytesAt, postJson, put, send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

const API = '/file-sync/api/file-sync'
const SMALL = 60_000
const LARGE = 1_500_000
const obstacle = fragileDiskObstacle()

let bench: Workbench
let mesh: RealMesh
let disk: FragileDisk
beforeAll(async () => {
  if (obstacle !== undefined) return
  bench = new Workbench()
  mesh = new RealMesh(bench)
  disk = await FragileDisk.make(bench.path('disk'))
  await mesh.start('a', { flags: ['--data', disk.folder] })
  await mesh.start('b')
  await mesh.connected()
}, 60_000)
afterAll(async () => {
  if (obstacle !== undefined) return
  await bench.killAll()
  await disk.remove()
  await bench.cleanUp()
})

const url = () => mesh.url('a')
const blobOf = (hash: string) => join(disk.folder, 'blobs', hash.slice(0, 2), hash)
const status = async () => (await send(`${url()}/api/storage-status`)).body
const stateOf = async (path: string) => (await send(`${url()}${API}/file/${path}`)).body

/** The sectors of a blob go bad from `at` on, and no memory has its bytes any more. */
async function spoil(bytes: Uint8Array, at = 0): Promise<void> {
  await disk.spoil(bytes.subarray(at))
  const file = blobOf(sha256(bytes))
  const forget = [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']
  execFileSync('dd', ['if=/dev/null', ...forget], { stdio: 'ignore' })
  expect(() => execFileSync('cat', [file], { stdio: 'pipe' })).toThrow(/Input\/output error/)
}

async function putEverywhere(path: string, bytes: Uint8Array): Promise<void> {
  const { body } = await put(`${url()}`, `${path}?wait=replicas:2&timeout=20`, bytes)
  expect([path, body.replicas]).toEqual([path, 2])
}

async function expectRead(path: string, bytes: Uint8Array, from?: string): Promise<void> {
  const answer = await fetch(`${url()}/images/${path}`)
  const body = Buffer.from(await answer.arrayBuffer())
  expect([path, answer.status, sha256(body)]).toEqual([path, 200, sha256(bytes)])
  if (from !== undefined) expect(answer.headers.get('x-image-source')).toBe(from)
}

const needsDisk = (context: TestContext) => context.skip(obstacle !== undefined, obstacle)

test.for([
  ['small', SMALL],
  ['large', LARGE]
] as const)(
  'a reader of a %s image gets what another server has, and the disk gets it back',
  { timeout: 60_000 },
  async ([name, bytes], context) => {
    needsDisk(context)
    const image = noiseBytes(bytes, bytes)
    await putEverywhere(`${name}.jpg`, image)
    await spoil(image)
    await Promise.all([1, 2, 3].map(() => expectRead(`${name}.jpg`, image)))
    await eventually(async () => {
      expect(await stateOf(`${name}.jpg`)).toMatchObject({ state: 'ok', local: true, replicas: 2 })
    })
    await expectRead(`${name}.jpg`, image, 'local')
    expect(await status()).toMatchObject({ corrupted_files: 0, missing_files: 0 })
    const { history } = await stateOf(`${name}.jpg`)
    expect(history.map(({ event }: { event: string }) => event)).toContain('damaged')
  }
)

test('a range in the middle of a large image is whole', async (context) => {
  needsDisk(context)
  const image = noiseBytes(LARGE, 7)
  await putEverywhere('range.jpg', image)
  await spoil(image, 170 * 4096)
  const answer = await fetch(`${url()}/images/range.jpg`, {
    headers: { range: 'bytes=100-1400000' }
  })
  const body = Buffer.from(await answer.arrayBuffer())
  expect(answer.status).toBe(206)
  expect(body.equals(image.subarray(100, 1_400_001))).toBe(true)
}, 60_000)

test('verify repairs from a holder', async (context) => {
  needsDisk(context)
  const image = noiseBytes(SMALL, 8)
  await putEverywhere('verified.jpg', image)
  await spoil(image)
  const { body } = await postJson(`${url()}${API}/verify`, { paths: ['verified.jpg'] })
  expect(body).toMatchObject({
    corrupted_files: [{ path: 'verified.jpg', action: 'repaired_from:b' }],
    repaired_files: ['verified.jpg'],
    unrepairable_files: []
  })
  await expectRead('verified.jpg', image, 'local')
}, 60_000)

test('a peer that asks for what can’t be read makes the node look at it', async (context) => {
  needsDisk(context)
  const image = noiseBytes(LARGE, 9)
  await mesh.node('b').end('SIGTERM')
  await put(url(), 'asked.jpg', image)
  await spoil(image)
  await mesh.start('b')
  await eventually(
    async () => expect(await stateOf('asked.jpg')).toMatchObject({ state: 'corrupted' }),
    { withinMs: 30_000 }
  )
  expect((await put(mesh.url('b'), 'asked-again.jpg', image)).status).toBe(201)
  await eventually(async () => expectRead('asked.jpg', image, 'local'), { withinMs: 30_000 })
}, 90_000)

test('what no other server has is not served, and listed with its reason', async (context) => {
  needsDisk(context)
  await mesh.node('b').end('SIGTERM')
  const images = { 'lost.jpg': noiseBytes(SMALL, 10), 'lost-large.jpg': noiseBytes(LARGE, 11) }
  for (const [path, bytes] of Object.entries(images)) {
    await put(url(), path, bytes)
    await spoil(bytes)
  }
  expect((await send(`${url()}/images/lost.jpg`)).body).toMatchObject({
    code: 'NOT_AVAILABLE',
    detail: expect.stringContaining("the disk can't read its file")
  })
  await fetch(`${url()}/images/lost-large.jpg`)
    .then((answer) => answer.arrayBuffer())
    .catch(() => 'broken off')
  for (const path of Object.keys(images)) {
    const { status: code, bytes } = await bytesAt(`${url()}/images/${path}`)
    expect([path, code, JSON.parse(bytes.toString()).code]).toEqual([path, 503, 'NOT_AVAILABLE'])
    const { servers } = await stateOf(path)
    const reasons = servers.map(({ reason }: { reason: string | null }) => reason)
    expect(reasons).toContainEqual(expect.stringContaining("the disk can't read its file"))
  }
  const { body } = await postJson(`${url()}${API}/verify`, {})
  expect(body.unrepairable_files.sort()).toEqual(['lost-large.jpg', 'lost.jpg'])
  expect(await status()).toMatchObject({ status: 'degraded', corrupted_files: 2 })
  expect((await send(`${url()}/healthz`)).status).toBe(200)
  await expectRead('small.jpg', noiseBytes(SMALL, SMALL), 'local')

  for (const [path, bytes] of Object.entries(images)) await put(url(), path, bytes)
  await eventually(async () => expect((await status()).corrupted_files).toBe(0))
  const faults = await folderFaults(url(), disk.folder)
  expect(faults.filter((fault) => !/^(quarantine|blobs)\//.test(fault))).toEqual([])
  expect(readdirSync(join(disk.folder, 'quarantine')).length).toBeGreaterThan(0)
  await mesh.start('b')
  await mesh.connected()
  await expectSoundFolder(mesh.url('b'), bench.path('b'))
}, 90_000)
