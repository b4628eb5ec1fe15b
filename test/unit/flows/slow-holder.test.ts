// A holder that sends, but next to nothing, keeps nothing from those who could have it elsewhere.

import { afterEach, expect, test } from 'vitest'
import { slowLine, want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import type { ManualClock } from '../../support/manual-clock.ts'
import {
  beginReading,
  endReading,
  fillDisk,
  LARGE,
  SMALL,
  sourceOf
} from '../../support/reading-node.ts'
import { openReplication } from '../../support/replication.ts'

afterEach(endReading)

const MINUTE_MS = 60_000
const IMAGES = Array.from({ length: 6 }, (_, n) => testBytes(100_000, n))
/** It begins as soon as any other. */
const DRIP = { bytes: 50, everyMs: 500 }

/** A node that has asked a slow holder for all images before another one has come. */
async function begin(pace: { bytes: number; everyMs: number }) {
  const opened = await openReplication({ believes: true })
  const { node, network, replicator, clock } = opened
  network.lines.set('slow', slowLine(clock, pace))
  network.add('slow', sourceOf(...IMAGES))
  for (const [n, bytes] of IMAGES.entries()) await want(node, `${n}.png`, bytes)
  replicator.wake()
  await clock.pass(500)
  const wants = () => node.flows.index.counts().wants
  expect(wants()).toBe(IMAGES.length)
  return { ...opened, wants }
}

test('what a holder holds up by dripping is asked of another one', async () => {
  const { network, peers, replicator, clock, wants, close } = await begin(DRIP)
  network.add('quick', sourceOf(...IMAGES))
  replicator.wake()
  await clock.pass(5 * MINUTE_MS)
  expect(wants()).toBe(0)
  expect(peers.state('slow')).toMatchObject({ isSlow: true, owedBytes: 0 })
  expect(peers.state('quick')).toMatchObject({ isSlow: false, restsUntilMs: 0 })
  await close()
})

test('a holder that drips is waited for where nobody else has it', async () => {
  const { network, peers, clock, wants, close } = await begin(DRIP)
  await clock.pass(10 * MINUTE_MS)
  expect([network.streams('slow'), wants()]).toEqual([1, IMAGES.length])
  expect(peers.state('slow')).toMatchObject({ isSlow: false, restsUntilMs: 0 })
  await close()
})

test('a slow line goes on beside an idle one', async () => {
  const { network, peers, replicator, clock, wants, close } = await begin({
    bytes: 5000,
    everyMs: 1000
  })
  network.add('quick', sourceOf(...IMAGES))
  replicator.wake()
  await clock.pass(3 * MINUTE_MS)
  expect([network.streams('slow'), network.streams('quick'), wants()]).toEqual([1, 0, 0])
  expect(peers.state('slow')).toMatchObject({ isSlow: false, restsUntilMs: 0 })
  await close()
})

async function reading(bytes: Uint8Array, others: readonly string[]) {
  const opened = await beginReading()
  const { node, network, replicator } = opened
  const clock = opened.clock as ManualClock
  network.lines.set('slow', slowLine(clock, DRIP))
  for (const id of ['slow', ...others]) network.add(id, sourceOf(bytes))
  const hash = await want(node, 'a.png', bytes)
  return { ...opened, clock, from: () => clock.run(() => replicator.fetchNow(hash)) }
}

test.each([
  ['small', SMALL],
  ['large', LARGE]
])('a reader of a %s blob gets it elsewhere from one that drips', async (_, bytes) => {
  const { clock, from } = await reading(bytes, ['quick'])
  const beganMs = clock.monotonicMs()
  expect(await from()).toBe('quick')
  expect(clock.monotonicMs() - beganMs).toBeLessThan(5 * MINUTE_MS)
})

test('a reader waits for one that drips where nobody else has it', async () => {
  const { network, from } = await reading(SMALL, [])
  expect([await from(), network.streams('slow')]).toEqual(['slow', 1])
})

test.each([
  ['kept', false],
  ['passed on', true]
])('nor is a small blob lost that is %s, where others lack it', async (_, isFull) => {
  const { node, network, replicator, clock } = await reading(SMALL, [])
  network.add('lacks', sourceOf())
  const hash = await want(node, 'b.png', SMALL)
  if (isFull) fillDisk(node)
  const opened = await clock.run(() => replicator.open(hash))
  expect(opened?.peerId).toBe('slow')
  opened?.blob.close()
})
