import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ImageEntry } from '../../../protocols/entry.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionAt } from '../../../protocols/version.ts'
import { openTables } from '../../../src/index/tables.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { openMemoryIndex, type TestIndex } from '../../support/open-index.ts'

const [A, B] = [parsePath('a.jpg'), parsePath('b.jpg')]
const entry = (path: string, ms: number) => imageEntry(path, versionAt(ms), { writer: 'x' })

let node: TestIndex
/** The disk has changed what the first of two images in review was. */
beforeEach(async () => {
  node = await openMemoryIndex()
  await node.index.change((tx) => {
    for (const path of [A, B]) {
      tx.merge(entry(path, 1000), 'p')
      tx.putToReview(tx.get(path) as ImageEntry, 'p')
    }
  })
  const { past } = await openTables(node.database)
  const [key] = await past.keys({}).all()
  await past.put(key as string, Buffer.from('?'))
})
afterEach(() => node.close())

const listed = async () =>
  (await Array.fromAsync(node.index.reviewed())).map((one) => one.entry.path)

test('what the disk has changed in the review list is in the way of nothing else there', async () => {
  expect(await listed()).toEqual([B])
  expect(await Array.fromAsync(node.index.reviewedPaths())).toEqual([A, B])
})

test('and it can be discarded', async () => {
  expect(await node.index.change((tx) => tx.discardReviewed(A))).toBe(true)
  expect(node.index.counts().reviewImages).toBe(1)
})

test('a newer image of its path is taken in', async () => {
  const newer = entry(A, 2000)
  expect(await node.index.change((tx) => tx.receive(newer, 'p'))).toBe('merged')
  expect(node.index.image(A)?.version).toBe(newer.version)
  expect(node.index.counts().reviewImages).toBe(1)
})

test('nor is an earlier version of a path in the way of the others', async () => {
  await node.index.change((tx) => {
    for (const ms of [2000, 3000]) tx.merge(entry(A, ms), 'p')
  })
  const found = await node.index.change((tx) => Array.fromAsync(tx.pastOf(A)))
  expect(found.map((past) => past.entry.version)).toEqual([versionAt(2000)])
})
