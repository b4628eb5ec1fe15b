import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
import { versionAt, versionMs } from '../../../protocols/version.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { SyncedIndexes } from '../../support/synced-indexes.ts'

let all: SyncedIndexes
beforeEach(() => {
  all = new SyncedIndexes()
})
afterEach(() => all.close())

test('what is written while a report is compared is not believed to be there', async () => {
  const [{ index, sync }, b] = [await all.join('a'), await all.join('b')]
  const path = parsePath('a.jpg')
  await index.change((tx) => tx.merge(imageEntry(path, versionAt(all.clock.now())), 'x'))
  await all.clock.run(() => sync.compareAll())
  await all.clock.pass(86_400_000) // the last report is old
  const { beyond } = index
  const [written, noted] = [Promise.withResolvers<bigint>(), Promise.withResolvers<void>()]
  index.beyond = (horizon) => {
    const tree = beyond.call(index, horizon)
    const node = async (key: string) => {
      const before = await tree.node(key)
      const entry = await index.change((tx) => tx.deleteImage(path))
      if (entry !== undefined) written.resolve(entry.version)
      return before
    }
    return Object.assign(Object.create(tree), { node })
  }
  const { note } = sync.beliefs
  sync.beliefs.note = (...given) => {
    note.apply(sync.beliefs, given)
    noted.resolve()
  }
  sync.refresh()
  await all.clock.run(() => noted.promise)
  const version = await written.promise
  expect(b.index.image(path)).toBeDefined() // no time has passed in which it could have been told
  expect(sync.beliefs.holds('b', versionMs(version))).toBe(false)
})
