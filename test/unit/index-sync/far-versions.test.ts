// Entries that lie so far ahead that nothing could ever replace them, between real indexes.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
import { CLOCK_MS_MAX, VERSION_MAX, versionAt, versionMs } from '../../../protocols/version.ts'
import type { ManualClock } from '../../support/manual-clock.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import type { TestIndex } from '../../support/open-index.ts'
import { SyncedIndexes } from '../../support/synced-indexes.ts'

const YEAR_MS = 365.25 * 86_400_000
const PATH = parsePath('a.jpg')
const NOW_MS = Date.UTC(2030, 0, 1)

let all: SyncedIndexes
let clock: ManualClock
beforeEach(() => {
  all = new SyncedIndexes(NOW_MS)
  clock = all.clock
})
afterEach(() => all.close())

const join = (id: string) => all.join(id)
const warnings = () => all.lines.filter(({ level }) => level === 'warn').map(({ about }) => about)

/** What another program, or a hostile one, has in its index. */
const plant = ({ index }: TestIndex, version: bigint, path: string = PATH) =>
  index.change((tx) => tx.merge(imageEntry(path, version, { writer: 'zzz' }), 'zzz'))

const remove = ({ index }: TestIndex) => index.change((tx) => tx.deleteImage(PATH))

test('an entry of the highest version could be replaced by nobody, so nobody takes it', async () => {
  const [a, b] = [await join('a'), await join('b')]
  await plant(a, VERSION_MAX)
  await expect(remove(a)).rejects.toThrow() // what would become of all others
  await plant(a, versionAt(NOW_MS), 'b.jpg')
  await clock.run(() => b.sync.compareAll())
  await clock.run(() => a.sync.compareAll())
  expect(b.index.get(PATH)).toBeUndefined()
  expect(b.index.get(parsePath('b.jpg'))).toBeDefined()
  expect(warnings()).toEqual([{ peer: 'a' }])
})

test('the difference that stays keeps nobody busy', async () => {
  const [a, b] = [await join('a'), await join('b')]
  await plant(a, VERSION_MAX)
  await clock.run(() => b.sync.compareAll())
  await clock.run(() => a.sync.compareAll())
  expect(a.index.root()).not.toEqual(b.index.root())
})

test('whatever is taken can be replaced, and that is taken too', async () => {
  const [a, b, c] = [await join('a'), await join('b'), await join('c')]
  await plant(a, versionAt(clock.now() + 100 * YEAR_MS))
  await clock.run(() => b.sync.compareAll())
  expect(b.index.image(PATH)).toBeDefined()
  await remove(b)
  await clock.pass(1000)
  await clock.run(() => a.sync.compareAll())
  await clock.run(() => c.sync.compareAll())
  for (const { index } of [a, b, c]) expect(index.get(PATH)).toMatchObject({ deleted: true })
  expect(warnings()).toEqual([])
})

test('what a clock that is behind refuses, it takes later', async () => {
  const [a, b] = [await join('a'), await join('b')]
  await plant(a, versionAt(clock.now() + 100 * YEAR_MS + 60_000))
  await clock.run(() => b.sync.compareAll())
  expect(b.index.get(PATH)).toBeUndefined()
  await clock.pass(60_000)
  await clock.run(() => b.sync.compareAll())
  expect(b.index.image(PATH)).toBeDefined()
})

test('a clock that has lost all years takes what right clocks write', async () => {
  clock.jump(-NOW_MS)
  const [a, b] = [await join('a'), await join('b')]
  await plant(a, versionAt(NOW_MS))
  await clock.run(() => b.sync.compareAll())
  expect(b.index.image(PATH)).toBeDefined()
})

test('what a clock far ahead writes is taken by all', async () => {
  const a = await join('a')
  clock.jump(5000 * YEAR_MS)
  await plant(a, 1n)
  await remove(a)
  clock.jump(-5000 * YEAR_MS)
  const { version } = a.index.get(PATH) as { version: bigint }
  expect(versionMs(version)).toBe(CLOCK_MS_MAX)
  const b = await join('b')
  await clock.run(() => b.sync.compareAll())
  expect(b.index.get(PATH)).toMatchObject({ deleted: true })
})

test('a clock that was far ahead draws nothing after it that others would refuse', async () => {
  clock.jump(150 * YEAR_MS)
  const [a, b] = [await join('a'), await join('b')]
  await clock.pass(120_000)
  await clock.run(() => a.sync.compareAll()) // raises its floor
  clock.jump(-150 * YEAR_MS)
  await plant(a, 1n)
  await remove(a)
  const { version } = a.index.get(PATH) as { version: bigint }
  expect(versionMs(version)).toBeLessThanOrEqual(CLOCK_MS_MAX)
  await clock.pass(1000)
  await clock.run(() => b.sync.compareAll())
  expect(b.index.get(PATH)).toMatchObject({ deleted: true })
})
