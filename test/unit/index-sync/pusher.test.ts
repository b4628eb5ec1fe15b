import { afterEach, beforeEach, expect, test } from 'vitest'
import { SENT_TO_MAX } from '../../../protocols/entries/limits.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionAt } from '../../../protocols/version.ts'
import { silentLog } from '../../../src/base/log.ts'
import { Pusher } from '../../../src/index-sync/pusher.ts'
import { ManualClock } from '../../support/manual-clock.ts'
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

test('an own entry goes at once; what comes while it is on its way shares a push', async () => {
  const clock = new ManualClock()
  const peers = () => [{ id: 'b', address: '/memory/b', dialled: true, sinceMs: 0 }]
  const open = () => new Promise<never>(() => {})
  const onMissed = () => {}
  const pusher = new Pusher({ network: { id: 'a', peers, open }, clock, log: silentLog, onMissed })
  const entry = (name: string) => imageEntry(name, versionAt(clock.now()))
  // one that is passed on may come there from elsewhere
  pusher.spread([entry('passed on.jpg')], ['c'])
  expect(pusher.pushed).toBe(0)
  clock.advance(5)
  expect(pusher.pushed).toBe(1)
  pusher.drop('b')
  pusher.spread([entry('1.jpg')], [])
  expect(pusher.pushed).toBe(2)
  for (const name of ['2.jpg', '3.jpg']) pusher.spread([entry(name)], [])
  expect(pusher.pushed).toBe(2)
  clock.advance(5)
  expect(pusher.pushed).toBe(3)
  pusher.stop()
})
