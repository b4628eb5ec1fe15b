import { expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { IndexSync } from '../../../src/index-sync/index-sync.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MICROTASKS, microtasks, settled } from '../../support/microtasks.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

/** With one peer, to which no stream can be opened. */
function begin() {
  const clock = new ManualClock()
  const peer = { id: 'p', address: '/memory/p', dialled: true, sinceMs: 0 }
  const counts = { opens: 0 }
  const open = async () => {
    counts.opens++
    throw new Error('not now')
  }
  const network = { id: 'own', peers: () => [peer], onPeer: () => () => {}, handle: () => {}, open }
  const sync = new IndexSync({
    ...{ network, clock, random: new SeededChance(1), log: silentLog },
    index: { onNews: () => {} } as never,
    wants: async () => ({ wantsFiles: 0, wantsBytes: 0, wantRanges: [] }),
    onMerged: () => {},
    members: async () => new Map(),
    reportMsMax: 60_000
  })
  return { sync, counts, clock }
}

test.each(MICROTASKS)('compares again when asked %i steps after it began', async (steps) => {
  const { sync, counts } = begin()
  void sync.compare('p')
  await microtasks(steps)
  void sync.compare('p') // such as for a peer that connects at the moment at which a stream breaks
  await settled()
  expect(counts.opens).toBe(2)
  await sync.stop()
})

test('an exchange that broke off is not begun again by itself', async () => {
  const { sync, counts } = begin()
  await sync.compare('p')
  await settled()
  expect(counts.opens).toBe(1)
})

test('a clock that is set back keeps nobody from being asked', async () => {
  const { sync, counts, clock } = begin()
  sync.refresh()
  sync.refresh()
  expect(counts.opens).toBe(1)
  clock.jump(-86_400_000)
  clock.advance(5000)
  sync.refresh()
  expect(counts.opens).toBe(2)
  await sync.stop()
})
