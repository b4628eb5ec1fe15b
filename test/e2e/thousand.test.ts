// Many images at once into three real nodes with one secret, also while one of them is killed: all
// are complete and the same everywhere. IMAGES=1000 tries a thousand.

import { existsSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sizedJpeg } from '../fixtures/sized-jpeg.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { bytesAt, put, send } from '../support/http-client.ts'
import { RealMesh } from '../support/real-mesh.ts'
import { Workbench } from '../support/real-node.ts'

const IMAGES = Number(process.env.IMAGES ?? 300)
const NAMES = ['a', 'b', 'c']
const AT_ONCE = 16
const TEST_MS_MAX = 240_000
/** A prime that divides no number of images that anybody tries: it mixes small and large ones. */
const STRIDE = 617
/** Every so many-th image is read from every node. */
const SAMPLE = 20

interface Image {
  readonly path: string
  readonly bytes: Buffer
  readonly hash: string
}

interface Listed {
  readonly path: string
  readonly sha256: string
  readonly state: string
}

/** From 1 KB to 1 MB, each size as likely as ten times that size. */
const images: readonly Image[] = Array.from({ length: IMAGES }, (_, n) => {
  const share = ((n * STRIDE) % IMAGES) / (IMAGES - 1)
  const bytes = sizedJpeg(Math.round(1000 ** (1 + share)), `${n}`)
  return { path: `many/${n % 10}/${n}.jpg`, bytes, hash: sha256(bytes) }
})

let bench: Workbench
let mesh: RealMesh

beforeEach(async () => {
  bench = new Workbench()
  mesh = new RealMesh(bench)
  for (const name of NAMES) await mesh.start(name)
  await mesh.connected()
}, 60_000)
afterEach(() => bench.cleanUp())

/** Every third image, some at a time. `store` resolves when it is acknowledged. */
async function uploadShare(share: number, store: (image: Image) => Promise<void>): Promise<void> {
  const mine = images.filter((_, n) => n % NAMES.length === share)
  const lane = async () => {
    for (let image = mine.pop(); image; image = mine.pop()) await store(image)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

async function storeAt(name: string, { path, bytes }: Image): Promise<void> {
  const { status, body } = await put(mesh.url(name), path, bytes)
  if (status !== 201 && status !== 200) throw new Error(`${path} at ${name}: ${status} ${body}`)
}

/** All nodes have every image, list the same, and hold the same right bytes on their disks. */
async function expectCompleteEverywhere(): Promise<void> {
  const wanted = images.map(({ path, hash }) => `${path} ${hash} ok`).sort()
  for (const name of NAMES) {
    await eventually(() => expectCounts(name), { withinMs: 120_000 })
    const { body } = await send(`${mesh.url(name)}/file-sync/api/file-sync/files`)
    const listed = (body.files as Listed[]).map((file) => {
      return `${file.path} ${file.sha256} ${file.state}`
    })
    expect(listed.sort()).toEqual(wanted)
    for (const { hash, bytes } of images) {
      const file = bench.path(name, 'blobs', hash.slice(0, 2), hash)
      if (!readFileSync(file).equals(bytes)) throw new Error(`${file} holds other bytes`)
    }
    for (const { path, bytes } of images.filter((_, n) => n % SAMPLE === 0)) {
      const served = await bytesAt(`${mesh.url(name)}/images/${path}`)
      expect([served.status, served.bytes.equals(bytes)]).toEqual([200, true])
    }
    await eventually(() => expect(viewsMissing(name)).toEqual([]))
  }
}

async function expectCounts(name: string): Promise<void> {
  const { body } = await send(`${mesh.url(name)}/api/storage-status`)
  const { total_files: total, local_files: local, missing_files: missing } = body
  expect({ total, local, missing }).toEqual({ total: IMAGES, local: IMAGES, missing: 0 })
}

/** Images of which images/ shows no file. */
function viewsMissing(name: string): string[] {
  const all = images.map(({ path }) => path)
  return all.filter((path) => !existsSync(bench.path(name, 'images', path)))
}

test(
  'images uploaded to three nodes at once are complete and the same on all',
  async () => {
    await Promise.all(
      NAMES.map((name, share) => uploadShare(share, (image) => storeAt(name, image)))
    )
    await expectCompleteEverywhere()
  },
  TEST_MS_MAX
)

test(
  'they are so too if a node is killed in the middle of it and comes back',
  async () => {
    let stored = 0
    let again: Promise<unknown> | undefined
    const failed: Image[] = []
    /** What b fails to take is given to c, or to b once it is back. */
    const storeAtB = async (image: Image) => {
      try {
        await storeAt('b', image)
        stored++
      } catch (error) {
        if (again === undefined) throw error
        failed.push(image)
        if (failed.length % 2 === 0) return storeAt('c', image)
        await again
        await storeAt('b', image)
      }
      if (stored > IMAGES / 9)
        again ??= mesh
          .node('b')
          .end('SIGKILL')
          .then(() => mesh.start('b'))
    }
    await Promise.all([
      uploadShare(0, (image) => storeAt('a', image)),
      uploadShare(1, storeAtB),
      uploadShare(2, (image) => storeAt('c', image))
    ])
    await again
    expect(failed.length).toBeGreaterThan(0)
    expect(stored).toBeGreaterThan(IMAGES / 9)
    await expectCompleteEverywhere()
  },
  TEST_MS_MAX
)
