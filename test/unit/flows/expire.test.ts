import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionAt } from '../../../protocols/version.ts'
import { expire } from '../../../src/flows/expire.ts'
import { remove } from '../../../src/flows/remove.ts'
import { putImage } from '../../support/filled-index.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { DAY_MS, type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'
import { faultsOf } from '../../support/random-flows.ts'

const BYTES = tinyImage(1).byteLength
const hashOf = (n: number) => digest('sha256', tinyImage(n)) as ContentHash
const A = parsePath('a.svg')

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

/** One after the other under one path, a minute apart. */
async function putAll(...images: number[]): Promise<void> {
  for (const n of images) {
    await node.put('a.svg', tinyImage(n))
    node.clock.advance(60_000)
  }
  await node.flows.settler.idle()
}

async function run(options: { trashKeepMs?: number; trashBytesMax?: number }): Promise<number> {
  const all = { trashKeepMs: 7 * DAY_MS, trashBytesMax: 1e9, ...options }
  const gone = await expire(node.flows, all, new AbortController().signal)
  expect(await faultsOf(node)).toEqual([])
  return gone
}

const kept = async () =>
  (await node.flows.index.past(A, 99)).map(({ entry }) => entry.hash).reverse()

test('what is old enough goes, and not before', async () => {
  await putAll(1, 2, 3)
  node.clock.advance(7 * DAY_MS - 2 * 60_000)
  expect(await run({})).toBe(0)
  node.clock.advance(1)
  expect(await run({})).toBe(1)
  expect(await kept()).toEqual([hashOf(2)])
  expect(node.store.placeOf(hashOf(1))).toBeUndefined()
})

test('what others replaced and deleted is kept as long here, from when this node heard of it', async () => {
  await putAll(1)
  const writtenMs = node.clock.now()
  node.clock.advance(6 * DAY_MS)
  const others = [
    imageEntry(A, versionAt(writtenMs), { writer: 'peer-b', content: 'aa' }),
    imageEntry(A, versionAt(writtenMs + 1), { writer: 'peer-b', deleted: true })
  ]
  for (const entry of others) await node.flows.index.change((tx) => tx.merge(entry, 'peer-b'))
  await node.flows.settler.settleAll()
  expect([await kept(), node.store.placeOf(hashOf(1))]).toEqual([
    [hashOf(1), 'aa'.repeat(32)],
    'trash'
  ])
  node.clock.advance(7 * DAY_MS)
  expect(await run({})).toBe(0)
  node.clock.advance(1)
  expect(await run({})).toBe(2)
  expect([await kept(), node.store.placeOf(hashOf(1))]).toEqual([[], undefined])
})

test('the oldest go first when there is too much, and no more than must', async () => {
  await putAll(1, 2, 3, 4)
  expect(await run({ trashBytesMax: 2 * BYTES })).toBe(1)
  expect(await kept()).toEqual([hashOf(2), hashOf(3)])
})

test('a version whose bytes are live elsewhere is not let go for room: it would make none', async () => {
  await node.put('b.svg', tinyImage(1))
  await putAll(1, 2, 3)
  expect(await run({ trashBytesMax: 0 })).toBe(1)
  expect(await kept()).toEqual([hashOf(1)])
})

test('a deleted image goes for good, and its tombstone stays', async () => {
  await putAll(1)
  await remove(node.flows, { trashKeepMs: 7 * DAY_MS }, A)
  node.clock.advance(8 * DAY_MS)
  await run({})
  expect(node.flows.index.get(A)?.deleted).toBe(true)
  expect(node.flows.index.counts()).toMatchObject({ trashBlobs: 0, trashBytes: 0, tombstones: 1 })
})

test('a trash of which nothing can go is not looked through again until it changes', async () => {
  await putAll(1, 2, 3)
  let looked = 0
  const { index } = node.flows
  const counts = index.counts.bind(index)
  const pastBefore = index.pastBefore.bind(index)
  index.counts = () => ({ ...counts(), trashBytes: counts().trashBytes + 1e6 })
  index.pastBefore = async function* (ms) {
    for await (const version of pastBefore(ms)) {
      looked++
      yield version
    }
  }
  const fruitless = {}
  const options = { trashKeepMs: 7 * DAY_MS, trashBytesMax: 1000 }
  const runAgain = () => expire(node.flows, options, new AbortController().signal, fruitless)
  await node.flows.index.change((tx) => tx.setBlob(hashOf(1), { state: 'missing' }))
  await node.flows.index.change((tx) => tx.setBlob(hashOf(2), { state: 'missing' }))
  expect([await runAgain(), looked]).toEqual([0, 2])
  expect([await runAgain(), looked]).toEqual([0, 3])
  await putAll(4)
  expect([await runAgain(), looked]).toEqual([1, 6])
})

test('many versions that make no room are looked at now and then, unless the disk is short', async () => {
  const { index } = node.flows
  const stamp = { ino: 1, size: 1, mtimeMs: 1, ctimeMs: 1 }
  await index.change((tx) => {
    for (let n = 0; n < 2_000; n++) {
      const hash = putImage(tx, `old/${n}.png`, `${n}`)
      tx.setBlob(hash, { state: 'held', stamp })
      putImage(tx, `new/${n}.png`, `${n}`)
    }
  })
  for (let n = 0; n < 2_000; n += 100) {
    await index.change((tx) => {
      for (let at = n; at < n + 100; at++) tx.deleteImage(parsePath(`old/${at}.png`))
    })
    node.clock.advance(60_001)
  }
  let looked = 0
  const pastBefore = index.pastBefore.bind(index)
  index.pastBefore = async function* (ms) {
    for await (const version of pastBefore(ms)) {
      if (++looked % 10 === 0) node.clock.advance(50)
      yield version
    }
  }
  const fruitless = {}
  const runAgain = (options = {}) => {
    looked = 0
    const bounds = { trashKeepMs: 7 * DAY_MS, trashBytesMax: 0, ...options }
    return expire(node.flows, bounds, new AbortController().signal, fruitless)
  }
  await putAll(1, 2)
  expect([await runAgain(), looked]).toEqual([1, 2_001])
  await putAll(3)
  expect([await runAgain(), looked]).toEqual([0, 1])
  expect([await runAgain({ isUrgent: true }), looked]).toEqual([1, 2_001])
  await putAll(4)
  expect(await runAgain()).toBe(0)
  node.clock.advance(200_000)
  expect([await runAgain(), looked]).toEqual([1, 2_001])
})
