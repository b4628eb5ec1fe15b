import { expect, test } from 'vitest'
import { EMPTY_NODE } from '../../../protocols/time-tree-shape.ts'
import { silentLog } from '../../../src/base/log.ts'
import { IndexSync, type IndexSyncParts } from '../../../src/index-sync/index-sync.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { MICROTASKS, microtasks, settled } from '../../support/microtasks.ts'
import { openMemoryIndex } from '../../support/open-index.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

/** With one peer, to which no stream can be opened. */
function begin(parts: Partial<IndexSyncParts> = {}) {
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
    index: { onNews: () => {}, meta: () => undefined } as never,
    wants: async () => ({ wantsFiles: 0, wantsBytes: 0, wantRanges: [] }),
    onMerged: () => {},
    members: async () => new Map(),
    wasRemoved: () => false,
    hasRecord: () => true,
    reportMsMax: 60_000,
    ...parts
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
  await settled()
  expect(counts.opens).toBe(1)
  clock.jump(-86_400_000)
  clock.advance(5000)
  sync.refresh()
  await settled()
  expect(counts.opens).toBe(2)
  await sync.stop()
})

test('who needs a word of now asks whoever was asked a moment ago', async () => {
  const { sync, counts } = begin()
  sync.refresh()
  await settled()
  await sync.askAll()
  expect(counts.opens).toBe(2)
  await sync.stop()
})

test('what a node says it has is no newer than what it says it lacks', async () => {
  const { index, close } = await openMemoryIndex()
  const wants = async () => {
    const { wants: wantsFiles } = index.counts()
    // comes while the wants are looked for, and is lacking
    await index.change((tx) => tx.merge(imageEntry('a.jpg', 1n), 'p'))
    return { wantsFiles, wantsBytes: 0, wantRanges: [] }
  }
  const { sync } = begin({ index, wants })
  const { root, wantsFiles } = await sync.status(0)
  expect(wantsFiles).toBe(root.live)
  await sync.stop()
  await close()
})

test('tells how far a peer is behind by its last word, and whether it catches up now', async () => {
  const { index, close } = await openMemoryIndex()
  const { sync } = begin({ index })
  expect(sync.lag('p')).toEqual({ entries: undefined, isComparing: false })
  const says = (live: number) => {
    const status = { wantsFiles: 0, wantsBytes: 0, wantRanges: [], horizon: 0 }
    const report = { status: { ...status, root: { ...EMPTY_NODE, live } }, equal: false, atMs: 0 }
    sync.beliefs.note('p', report)
  }
  const { live } = index.root()
  says(live)
  for (const n of [1, 2]) {
    await index.change((tx) => tx.merge(imageEntry(`${n}.jpg`, BigInt(n)), 'q'))
  }
  expect(sync.lag('p').entries).toBe(2)
  says(live + 3) // it has others
  expect(sync.lag('p').entries).toBeUndefined()
  const compared = sync.compare('p')
  expect(sync.lag('p').isComparing).toBe(true)
  await compared
  await settled()
  expect(sync.lag('p').isComparing).toBe(false)
  await sync.stop()
  await close()
})
