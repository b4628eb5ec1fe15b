import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { BUCKET_MAX, bucketAt } from '../../../protocols/time-tree-shape.ts'
import { verifyBlob } from '../../../src/flows/verify-blob.ts'
import { isInRanges } from '../../../src/index-sync/plan-want-ranges.ts'
import { OwnWants, wantMs } from '../../../src/mesh/wants-of.ts'
import { auditIndex } from '../../support/audit-index.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'

const HOUR_MS = 3_600_000

let node: MemoryNode
let wants: OwnWants
beforeEach(async () => {
  node = await openMemoryNode()
  wants = new OwnWants(node.flows)
})
afterEach(() => node.close())

/** An image that is known and not here, as if another node had written it. */
async function name(path: string, blob: string, versionMs: number): Promise<ContentHash> {
  const hash = digest('sha256', blob) as ContentHash
  await node.flows.index.change((tx) =>
    tx.putImage({
      ...{ path: parsePath(path), hash, md5: digest('md5', blob) as Md5, bytes: 10, versionMs },
      ...{ mediaType: 'image/jpeg', createdMs: versionMs }
    })
  )
  return hash
}

const bucketsOf = async (...times: number[]) => {
  const { wantRanges } = await wants.tell()
  return times.map((ms) => isInRanges(wantRanges, bucketAt(ms)))
}

test('a node that lacks nothing says so', async () => {
  await node.put('a.svg', tinyImage(1))
  expect(await wants.tell()).toEqual({ wantsFiles: 0, wantsBytes: 0, wantRanges: [] })
})

test('a node whose disk is not there claims to hold nothing', async () => {
  await node.put('a.svg', tinyImage(1))
  node.store.isPresent = false
  expect(await bucketsOf(0, node.clock.now())).toEqual([true, true])
  node.store.isPresent = true
  expect(await bucketsOf(0, node.clock.now())).toEqual([false, false])
})

test('all entries that name a blob which is not here are told, and no others', async () => {
  const nowMs = node.clock.now()
  const [early, middle, late] = [nowMs - 9 * HOUR_MS, nowMs - 5 * HOUR_MS, nowMs - HOUR_MS]
  await name('early.jpg', 'one', early)
  await name('copy.jpg', 'one', late)
  const { wantsFiles, wantsBytes } = await wants.tell()
  expect([wantsFiles, wantsBytes]).toEqual([1, 10])
  expect(await bucketsOf(early, middle, late, nowMs)).toEqual([true, false, true, false])
  await name('middle.jpg', 'two', middle)
  expect(await bucketsOf(early, middle, late, nowMs)).toEqual([true, true, true, false])
})

test('a blob that was lost is told at the time of its entry, not of its loss', async () => {
  const { entry } = await node.put('a.svg', tinyImage(1))
  const enteredMs = node.clock.now()
  node.clock.advance(5 * HOUR_MS)
  node.store.lose(entry.hash)
  await verifyBlob(node.flows, entry.hash)
  expect(await bucketsOf(enteredMs, node.clock.now())).toEqual([true, false])
})

test('no live entry is newer than the want for its blob', async () => {
  const nowMs = node.clock.now()
  const hash = await name('early.jpg', 'one', nowMs - HOUR_MS)
  await name('copy.jpg', 'one', nowMs + HOUR_MS)
  expect(wantMs(node.flows.index.blob(hash)?.want ?? '')).toBe(nowMs + HOUR_MS)
  await name('older.jpg', 'one', nowMs)
  expect(wantMs(node.flows.index.blob(hash)?.want ?? '')).toBe(nowMs + HOUR_MS)
  expect(await auditIndex(node.database)).toEqual([])
})

test('one that is named by very many paths claims nothing of older times', async () => {
  const nowMs = node.clock.now()
  await Promise.all(
    Array.from({ length: 70 }, (_, n) => name(`${n}.jpg`, 'one', nowMs - n * HOUR_MS))
  )
  expect(await bucketsOf(0, nowMs, nowMs - 99 * HOUR_MS)).toEqual([true, true, true])
  expect(await bucketsOf(nowMs + HOUR_MS, BUCKET_MAX * 65_536)).toEqual([false, false])
})
