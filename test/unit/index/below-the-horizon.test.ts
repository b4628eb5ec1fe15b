// What comes for a path whose deletion is so old that later ones may have been forgotten.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import { parsePath } from '../../../protocols/path.ts'
import { bucketAt } from '../../../protocols/time-tree-shape.ts'
import { versionAt } from '../../../protocols/version.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { openMemoryIndex, type TestIndex } from '../../support/open-index.ts'

const PATH = parsePath('a.jpg')
const DAY_MS = 86_400_000

let node: TestIndex
beforeEach(async () => {
  node = await openMemoryIndex()
  const { index } = node
  await index.change((tx) => tx.merge(deletionAt(10), 'b'))
  await index.change((tx) => tx.shared.raiseHorizon(bucketAt(daysAgo(5))))
})
afterEach(() => node.close())

const daysAgo = (days: number) => node.clock.now() - days * DAY_MS
const imageAt = (days: number) => imageEntry(PATH, versionAt(daysAgo(days)))
const receive = (entry: ReturnType<typeof deletionAt>) =>
  node.index.change((tx) => tx.receive(entry, 'b'))

function deletionAt(days: number) {
  const about = { kind: KIND_IMAGE, path: PATH, writer: 'b', version: versionAt(daysAgo(days)) }
  return encodeEntry({ ...about, deleted: true, bytes: 0, mediaType: '', createdMs: 1 })
}

test('an image from after it may have been deleted again, and is put to review', async () => {
  expect(await receive(imageAt(8))).toBe('review')
  expect(node.index.image(PATH)).toBeUndefined()
})

test('so may one from before it', async () => {
  expect(await receive(imageAt(12))).toBe('review')
})

test('a later deletion is no news', async () => {
  expect(await receive(deletionAt(8))).toBe('known')
})

test('what is younger than all that was forgotten is taken', async () => {
  expect(await receive(imageAt(3))).toBe('merged')
  expect(await receive(deletionAt(2))).toBe('merged')
  expect(await receive(imageAt(8))).toBe('deleted')
})

test('what is in review is not taken in again, nor what is older; a later image ends it', async () => {
  const path = parsePath('b.jpg')
  const image = (days: number) => imageEntry(path, versionAt(daysAgo(days)))
  await receive(image(3))
  const reviewed = node.index.image(path)
  await node.index.change((tx) => reviewed && tx.putToReview(reviewed, 'b'))
  expect([await receive(image(3)), await receive(image(4))]).toEqual(['review', 'review'])
  expect([node.index.image(path), node.index.counts().reviewImages]).toEqual([undefined, 1])
  expect(await receive(image(2))).toBe('merged')
  expect(node.index.counts().reviewImages).toBe(0)
})
