import { afterEach, beforeEach, expect, test } from 'vitest'
import { SENT_TO_MAX } from '../../../protocols/entries/limits.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionAt } from '../../../protocols/version.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { SyncedIndexes } from '../../support/synced-indexes.ts'

let all: SyncedIndexes
beforeEach(() => {
  all = new SyncedIndexes()
})
afterEach(() => all.close())

const names = Array.from({ length: SENT_TO_MAX }, (_, n) => `${n}`.padStart(52, 'p'))

test('a push that names as many nodes as it may is passed on all the same', async () => {
  const [b, c] = [await all.join('b'), await all.join('c')]
  all.lines.length = 0
  const entry = imageEntry('a.jpg', versionAt(all.clock.now()))
  await all.clock.run(() => b.sync.push([entry], names, 'a'))
  await all.clock.pass(1000)
  expect(c.index.get(parsePath('a.jpg'))).toBeDefined()
  expect(all.lines).toEqual([])
})

test('who is named without having it gets it when the two compare next', async () => {
  const [b, c] = [await all.join('b'), await all.join('c')]
  const entry = imageEntry('a.jpg', versionAt(all.clock.now()))
  await all.clock.run(() => b.sync.push([entry], ['c'], 'a'))
  await all.clock.pass(1000)
  expect(c.index.get(parsePath('a.jpg'))).toBeUndefined()
  await all.clock.run(() => b.sync.compareOne())
  expect(c.index.get(parsePath('a.jpg'))).toBeDefined()
})
