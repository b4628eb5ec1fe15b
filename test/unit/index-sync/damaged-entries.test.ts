import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
import { ROOT_KEY } from '../../../protocols/time-tree-shape.ts'
import { versionAt } from '../../../protocols/version.ts'
import { openTables } from '../../../src/index/tables.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { SyncedIndexes } from '../../support/synced-indexes.ts'

let all: SyncedIndexes
beforeEach(() => {
  all = new SyncedIndexes()
})
afterEach(() => all.close())

test('an entry that the disk has damaged keeps no others out', async () => {
  const [a, b] = [await all.join('a'), await all.join('b')]
  const put = (path: string) =>
    b.index.change((tx) => tx.merge(imageEntry(path, versionAt(all.clock.now())), 'x'))
  await put('a.jpg')
  await all.clock.run(() => a.sync.compareAll())
  await (await openTables(a.database)).entry.put('1/a.jpg', Buffer.from('?'))
  await all.clock.pass(1000)
  for (const path of ['0.jpg', 'a.jpg', 'b.jpg']) await put(path)
  await all.clock.run(() => a.sync.compareAll())
  expect(a.index.get(parsePath('0.jpg'))).toBeDefined()
  expect(a.index.get(parsePath('b.jpg'))).toBeDefined()
})

test.each([
  ['below nothing', -5],
  ['beyond all numbers', 2 ** 62]
])('a sum that the disk has damaged, and counts %s, stops no comparison', async (_, live) => {
  const [a, b] = [await all.join('a'), await all.join('b')]
  const put = (path: string) =>
    a.index.change((tx) => tx.merge(imageEntry(path, versionAt(all.clock.now())), 'x'))
  await put('a.jpg')
  await (await openTables(a.database)).tree.put(ROOT_KEY, { ...a.index.root(), live })
  await all.clock.run(() => b.sync.compareAll())
  expect(b.index.get(parsePath('a.jpg'))).toBeDefined()
})
