import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ImageEntry } from '../../../protocols/entry.ts'
import { parsePath } from '../../../protocols/path.ts'
import { countReviewedBytes } from '../../../src/flows/reviewed-bytes.ts'
import { hashOf, putImage } from '../../support/filled-index.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

const STAMP = { ino: 1, size: 1, mtimeMs: 1, ctimeMs: 1 }
/** What it takes to look at one, in this test. */
const EACH_MS = 10

let node: MemoryNode
let looked: number
beforeEach(async () => {
  node = await openMemoryNode()
  looked = 0
  const { index } = node.flows
  const reviewed = index.reviewed.bind(index)
  index.reviewed = async function* (after) {
    for await (const one of reviewed(after)) {
      looked++
      node.clock.advance(EACH_MS)
      yield one
    }
  }
})
afterEach(() => node.close())

const pathOf = (n: number) => parsePath(`${n}.png`)

/** Of 3 bytes each. */
const review = (...numbers: number[]) =>
  node.flows.index.change((tx) => {
    for (const n of numbers) {
      tx.setBlob(putImage(tx, pathOf(n), `${100 + n}`), { state: 'held', stamp: STAMP })
      tx.putToReview(tx.get(pathOf(n)) as ImageEntry, 'peer-b')
      tx.setBlob(hashOf(`${100 + n}`), { state: 'trashed', stamp: STAMP })
    }
  })
const discard = (n: number) => node.flows.index.change((tx) => tx.discardReviewed(pathOf(n)))

test('bytes are counted when images have come, and not again while nothing changes', async () => {
  const count = countReviewedBytes(node.flows)
  expect(await count()).toBe(0)
  await review(1, 2)
  expect([await count(), await count(), looked]).toEqual([6, 6, 2])
  // what has come must not push out anything else
  await review(3)
  expect([await count(), looked]).toEqual([9, 5])
})

test('while they are decided one by one they are counted now and then', async () => {
  const count = countReviewedBytes(node.flows)
  await review(1, 2, 3, 4)
  expect([await count(), looked]).toEqual([12, 4])
  for (const n of [1, 2]) {
    await discard(n)
    expect([await count(), looked]).toEqual([12, 4])
  }
  node.clock.advance(20 * 4 * EACH_MS)
  expect([await count(), looked]).toEqual([6, 6])
  for (const n of [3, 4]) await discard(n)
  expect([await count(), looked]).toEqual([0, 6])
})
