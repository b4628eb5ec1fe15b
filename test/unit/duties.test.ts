import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ImageEntry } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import { systemRandom } from '../../src/base/clock.ts'
import { Thumbnailer } from '../../src/content/thumbnailer.ts'
import { createDuties, type Duties } from '../../src/duties.ts'
import { lastScan } from '../../src/flows/last-scan.ts'
import type { DiskStatus } from '../../src/flows/status.ts'
import { Thumbnails } from '../../src/flows/thumbnails.ts'
import { ThumbnailFiles } from '../../src/store/thumbnail-files.ts'
import { BreakableLevel } from '../support/breakable-level.ts'
import { makeTestFolder, streamOf, type TestFolder, testBytes } from '../support/data-folder.ts'
import { eventually } from '../support/eventually.ts'
import {
  DAY_MS,
  type MemoryNode,
  openMemoryNode,
  TEST_DISK,
  tinyImage
} from '../support/memory-node.ts'

const MINUTE_MS = 60_000
const hashOf = (n: number) => digest('sha256', tinyImage(n)) as ContentHash

let on: TestFolder
let node: MemoryNode
let duties: Duties
let disk: DiskStatus
let onMeasure = () => {}
let healed = 0
let trashSizeBytes = 1e9
beforeEach(async () => {
  on = await makeTestFolder()
  node = await openMemoryNode()
  disk = TEST_DISK
  onMeasure = () => {}
  healed = 0
  trashSizeBytes = 1e9
  duties = dutiesOf(node)
  await duties.prepare()
  duties.start({ wasBrokenOff: false, wasDamaged: false })
})
afterEach(async () => {
  await duties.stop()
  await node.close()
  on.remove()
})

function dutiesOf({ flows, http, options }: MemoryNode, compared = async () => {}): Duties {
  return createDuties(
    {
      flows,
      tasks: http.tasks,
      folder: on.folder,
      room: { measure: async () => onMeasure(), status: () => disk },
      compared,
      indexReserve: { take: async () => {} },
      onHealed: () => {
        healed++
      }
    },
    {
      adopt: { enabled: true, intervalMs: 60_000, changed: 'version', ignore: [] },
      fileStorage: { trashKeepMs: 7 * DAY_MS, trashSizeBytes } as never,
      fileSync: { verifyIntegrity: true } as never,
      images: { view: 'auto' },
      scrub: { intervalMs: 30 * DAY_MS },
      index: { export: false, tombstonesKeepMs: 90 * 86_400_000 },
      ingest: options.ingest
    }
  )
}

async function replaceOften(): Promise<void> {
  for (const n of [1, 2, 3]) await node.put('a.svg', tinyImage(n))
  await node.flows.settler.idle()
}

test('a clock that leaps ahead makes nothing old', async () => {
  await replaceOften()
  node.clock.jump(8 * DAY_MS)
  node.clock.advance(MINUTE_MS)
  await new Promise((resolve) => setImmediate(resolve))
  expect(node.flows.index.counts().trashBlobs).toBe(2)
  node.clock.jump(-8 * DAY_MS)
  expect(node.flows.index.counts().trashBlobs).toBe(2)
  node.clock.advance(8 * DAY_MS)
  await eventually(() => expect(node.flows.index.counts().trashBlobs).toBe(0))
})

test('nor does one that is wrong at a start, and a restart does not end the doubt', async () => {
  await replaceOften()
  node.clock.advance(MINUTE_MS)
  await new Promise((resolve) => setImmediate(resolve))
  for (const leapMs of [8 * DAY_MS, 0]) {
    await duties.stop()
    node.clock.jump(leapMs)
    await node.put(`${leapMs}.svg`, tinyImage(leapMs + 4)) // the index is written at that time
    duties = dutiesOf(node)
    duties.start({ wasBrokenOff: false, wasDamaged: false })
    node.clock.advance(MINUTE_MS)
    await new Promise((resolve) => setImmediate(resolve))
    expect(node.flows.index.counts().trashBlobs).toBe(2)
  }
  node.clock.advance(DAY_MS)
  await eventually(() => expect(node.flows.index.counts().trashBlobs).toBe(0))
})

test('the trash is kept while the disk has room, and gives it up before it is full', async () => {
  await replaceOften()
  node.clock.advance(MINUTE_MS)
  await new Promise((resolve) => setImmediate(resolve))
  expect(node.flows.index.counts().trashBlobs).toBe(2)
  disk = { ...TEST_DISK, free: 2 * TEST_DISK.reserved - 1, state: 'low' }
  node.clock.advance(MINUTE_MS)
  await eventually(() => expect(node.flows.index.counts().trashBlobs).toBe(1))
  expect(node.store.placeOf(hashOf(1))).toBeUndefined()
})

test('small pictures make room before the trash does', async () => {
  const files = new ThumbnailFiles(
    { folder: on.folder, random: systemRandom },
    { bytesMax: 1_000_000 }
  )
  const thumbnails = new Thumbnails({ files, drawer: new Thumbnailer(node.flows) })
  await duties.stop()
  const flows = { ...node.flows, thumbnails }
  duties = dutiesOf({ ...node, flows })
  duties.start({ wasBrokenOff: false, wasDamaged: false })
  files.keep(hashOf(1), 256, testBytes(100))
  await replaceOften()
  disk = { ...TEST_DISK, free: 2 * TEST_DISK.reserved - 1, state: 'low' }
  onMeasure = () => {
    if (files.read(hashOf(1), 256) === undefined) disk = TEST_DISK
  }
  await eventually(() => {
    node.clock.advance(MINUTE_MS)
    expect(disk).toBe(TEST_DISK)
  })
  expect(node.flows.index.counts().trashBlobs).toBe(2)
})

test('after a full disk changes are taken again when there is room, and not before', async () => {
  const { index } = node.flows
  void node.level.failNext(new Error('No space left on device'))
  await expect(node.put('a.svg', tinyImage(1))).rejects.toMatchObject({ code: 'DISK_FULL' })
  disk = { ...TEST_DISK, state: 'full' }
  node.clock.advance(2 * MINUTE_MS)
  await new Promise((resolve) => setImmediate(resolve))
  expect([index.fault === undefined, healed]).toEqual([false, 0])
  disk = TEST_DISK
  await eventually(() => {
    node.clock.advance(MINUTE_MS)
    expect(index.fault).toBeUndefined()
  })
  expect(healed).toBe(1)
  await node.put('a.svg', tinyImage(1))
  expect(index.image(parsePath('a.svg'))?.hash).toBe(hashOf(1))
  expect(on.names('temp')).toEqual([])
})

test('images/ is made anew when its way of showing was changed since', async () => {
  await eventually(() => expect(node.flows.index.meta('view')).toBe('auto'))
})

test('bytes outlive an index that was lost, until something names them again', async () => {
  await node.put('a.svg', tinyImage(1))
  await replaceOften()
  await duties.stop()
  await node.close()
  node.clock.advance(DAY_MS)
  const level = new BreakableLevel()
  await level.open()
  node = await openMemoryNode({ disk: { ...node, level } })
  duties = dutiesOf(node)
  await duties.prepare()
  duties.start({ wasBrokenOff: false, wasDamaged: false })
  await eventually(() => {
    node.clock.advance(MINUTE_MS)
    expect(lastScan(node.flows)).toBeDefined()
  })
  expect([1, 2, 3].map((n) => node.store.placeOf(hashOf(n)))).toEqual(['trash', 'trash', 'blobs'])
})

test('what a crash left in blobs/ without a name goes once others were heard', async () => {
  await duties.stop()
  await node.put('a.svg', tinyImage(1))
  const staged = await node.store.stage(streamOf(tinyImage(9)), { bytesMax: 1e6 })
  await node.store.publish(staged)
  node.store.finish(staged)
  node.clock.advance(MINUTE_MS)
  const heard = Promise.withResolvers<void>()
  duties = dutiesOf(node, () => heard.promise)
  duties.start({ wasBrokenOff: true, wasDamaged: false })
  await new Promise((resolve) => setImmediate(resolve))
  expect(node.store.placeOf(hashOf(9))).toBe('blobs')
  heard.resolve()
  await eventually(() => expect(node.store.placeOf(hashOf(9))).toBeUndefined())
  expect(node.store.placeOf(hashOf(1))).toBe('blobs')
})

test('what waits for review pushes nothing else out of the trash', async () => {
  await duties.stop()
  trashSizeBytes = 2 * tinyImage(1).byteLength
  duties = dutiesOf(node)
  const { index, settler } = node.flows
  for (const n of [6, 7, 8]) {
    await node.put(`${n}.svg`, tinyImage(n))
    await index.change((tx) => tx.putToReview(tx.get(parsePath(`${n}.svg`)) as ImageEntry, 'p'))
  }
  await replaceOften()
  await node.put('a.svg', tinyImage(4))
  await settler.settleAll()
  expect(index.counts().trashBlobs).toBe(6)
  duties.start({ wasBrokenOff: false, wasDamaged: false })
  for (let n = 0; n < 5; n++) {
    node.clock.advance(MINUTE_MS)
    await eventually(() => expect(index.counts().trashBlobs).toBeLessThan(6))
  }
  await duties.stop()
  expect(index.counts().trashBlobs).toBe(5)
})
