import { afterEach, beforeEach, expect, test } from 'vitest'
import { WATERMARKS_MAX, withRoom } from '../../../src/index/plan-watermarks.ts'
import { SyncedIndexes } from '../../support/synced-indexes.ts'

const mark = (until: number) => ({ until, database: `database-${until}` })
const marks = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`gone-${n}`, mark(n + 1)]))
const members = (...ids: string[]) => new Map(ids.map((id) => [id, undefined]))

test('members that are gone make room for others, those of whom the least is known first', () => {
  const few = marks(5)
  expect(withRoom(few, members('m'))).toBe(few)
  const all = { m: mark(0), ...marks(WATERMARKS_MAX - 1) }
  const left = Object.keys(withRoom(all, members('m', 'new')))
  expect(left).toEqual(Object.keys(all).filter((id) => !['gone-0', 'gone-1'].includes(id)))
})

let all: SyncedIndexes
beforeEach(() => {
  all = new SyncedIndexes()
})
afterEach(() => all.close())

test('what is proved with a new member is known, however many came and went before it', async () => {
  const a = await all.join('a')
  await a.index.change((tx) => tx.setMeta('watermarks', marks(WATERMARKS_MAX)))
  const b = await all.join('b')
  await all.clock.pass(3 * 60_000)
  await all.clock.run(() => a.sync.compareAll())
  expect(a.index.watermarks()).toHaveProperty('b', expect.anything())
  expect(Object.keys(a.index.watermarks()).length).toBeLessThanOrEqual(WATERMARKS_MAX)
  expect(b.index.watermarks()).toHaveProperty('a')
})
