import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { lastScan } from '../../../src/flows/last-scan.ts'
import { nextScrubMs, scrub } from '../../../src/flows/scrub.ts'
import { AGE_MS_MIN, sweepUnnamed, UNNAMED_MAX } from '../../../src/flows/sweep-unnamed.ts'
import { auditIndex } from '../../support/audit-index.ts'
import { streamOf } from '../../support/data-folder.ts'
import { DAY_MS, type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const IMAGES = 20
const INTERVAL_MS = 10 * DAY_MS
const hashOf = (n: number) => digest('sha256', tinyImage(n)) as ContentHash
const never = new AbortController().signal

let node: MemoryNode
let read: ContentHash[]
beforeEach(async () => {
  node = await openMemoryNode({ random: new SeededChance(1) })
  for (let n = 0; n < IMAGES; n++) await node.put(`${n}.svg`, tinyImage(n))
  await node.flows.settler.idle()
  read = []
  const { rehash } = node.store
  node.store.rehash = (hash, ...given) => {
    read.push(hash)
    return rehash.call(node.store, hash, ...given)
  }
})
afterEach(async () => {
  expect(await auditIndex(node.database)).toEqual([])
  await node.close()
})

/** As the duty does it: a little at a time. */
async function scrubFor(ms: number, steps = 50): Promise<void> {
  for (let step = 0; step < steps; step++) {
    node.clock.advance(ms / steps)
    await node.clock.run(() => scrub(node.flows, { intervalMs: INTERVAL_MS }, never))
  }
}

test('every blob is read once in a round, spread over its time', async () => {
  await scrubFor(1)
  expect(read.length).toBeLessThan(3)
  await scrubFor(INTERVAL_MS / 4)
  expect(read.length).toBeGreaterThan(IMAGES / 8)
  expect(read.length).toBeLessThan(IMAGES / 2)
  expect(lastScan(node.flows)).toBeUndefined()
  await scrubFor((INTERVAL_MS * 3) / 5)
  expect(new Set(read).size).toBe(IMAGES)
  expect(read.length).toBe(IMAGES)
  expect(lastScan(node.flows)).toMatchObject({ scannedFiles: IMAGES, corruptedFiles: 0 })
  expect(nextScrubMs(node.flows, { intervalMs: INTERVAL_MS })).toBeGreaterThan(node.clock.now())
})

test('a round is followed by the next, in another order', async () => {
  await scrubFor(INTERVAL_MS)
  const first = read
  read = []
  await scrubFor(INTERVAL_MS)
  expect(new Set(read).size).toBe(IMAGES)
  expect(read[0]).not.toBe(first[0])
})

test('what was off for long catches up, and ends its round', async () => {
  await scrubFor(INTERVAL_MS / 10)
  await scrubFor(5 * INTERVAL_MS, 1)
  expect(new Set(read).size).toBe(IMAGES)
  expect(read.length).toBe(IMAGES)
})

test('one that is broken off in the middle goes on where it was', async () => {
  const [images, repeatedMax, brokenOffAt] = [150, 64, 100]
  for (let n = IMAGES; n < images; n++) await node.put(`${n}.svg`, tinyImage(n))
  await node.flows.settler.idle()
  await scrubFor(1, 1)
  const stopping = new AbortController()
  const { rehash } = node.store
  node.store.rehash = (...given) => {
    if (read.length + 1 === brokenOffAt) stopping.abort(new Error('stop'))
    return rehash.apply(node.store, given)
  }
  node.clock.advance(INTERVAL_MS)
  const scrubbing = scrub(node.flows, { intervalMs: INTERVAL_MS }, stopping.signal)
  await expect(node.clock.run(() => scrubbing)).rejects.toThrow('stop')
  expect(read.length).toBe(brokenOffAt)
  await scrubFor(1, 1)
  expect(new Set(read).size).toBe(images)
  expect(read.length).toBeGreaterThan(images)
  expect(read.length).toBeLessThanOrEqual(images + repeatedMax)
})

test('silent damage is found and told; a file that is gone from images/ comes back', async () => {
  node.store.damage(hashOf(3), 'silently')
  node.view.unlink('5.svg')
  await scrubFor(INTERVAL_MS)
  expect(node.flows.index.blob(hashOf(3))?.state).toBe('damaged')
  expect(lastScan(node.flows)).toMatchObject({ corruptedFiles: 1, unrepairableFiles: 1 })
  expect(node.view.at('5.svg')).toBe(hashOf(5))
  expect(node.view.at('3.svg')).toBeUndefined()
})

test('bytes that nothing names go, once they are an hour old', async () => {
  const staged = await node.store.stage(streamOf(tinyImage(500)), { bytesMax: 1e6 })
  await node.store.publish(staged)
  node.store.finish(staged)
  const { stamp } = node.store
  node.store.stamp = (hash) => {
    const found = stamp.call(node.store, hash)
    return found && { ...found, ctimeMs: node.clock.now() }
  }
  expect(await sweepUnnamed(node.flows, node.clock.now() - AGE_MS_MIN, never)).toBe(0)
  node.store.stamp = stamp
  await scrubFor(INTERVAL_MS)
  expect(node.store.placeOf(hashOf(500))).toBeUndefined()
  expect(node.store.placeOf(hashOf(1))).toBe('blobs')
})

test('an index that names very many files no more is an old one, and they are kept', async () => {
  const { store, flows, clock } = node
  for (let n = 0; n <= UNNAMED_MAX; n++) {
    const staged = await store.stage(streamOf(tinyImage(1000 + n)), { bytesMax: 1e6 })
    await store.publish(staged)
    store.finish(staged)
  }
  const sweep = () => sweepUnnamed(flows, clock.now() + DAY_MS, never)
  expect(await sweep()).toBe(0)
  expect(store.placeOf(hashOf(1000))).toBe('blobs')
  await store.remove(hashOf(1000))
  await store.remove(hashOf(1001))
  expect(await sweep()).toBe(0)
  expect(store.placeOf(hashOf(1002))).toBe('blobs')
})

test('what others put in the place of an image is left to them', async () => {
  node.view.unlink('5.svg')
  node.view.write('5.svg')
  await scrubFor(INTERVAL_MS)
  expect(node.view.at('5.svg')).toBe('foreign')
})

test('a clock that is set back does not stop the scrub', async () => {
  node.clock.jump(1000 * DAY_MS)
  await scrubFor(INTERVAL_MS / 10)
  node.clock.jump(-1000 * DAY_MS)
  read = []
  await scrubFor(INTERVAL_MS)
  expect(new Set(read).size).toBe(IMAGES)
})
