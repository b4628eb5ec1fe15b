import { expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import {
  type Candidate,
  hasRoom,
  isMuch,
  planHolder,
  planReadOrder,
  planRestMs,
  planRetryMs,
  requestsOf,
  runsLow
} from '../../../src/blob-sync/plan-wants.ts'

const MIB = 2 ** 20
const policy = { retryDelayMs: 5000 }
const peer = (peerId: string, more: Partial<Candidate> = {}): Candidate => ({
  peerId,
  owedBytes: 0,
  rate: 0,
  restsUntilMs: 0,
  believed: false,
  ...more
})

test('retries double, but never wait for ever', () => {
  const waits = [1, 2, 3, 4, 8, 100].map((attempts) => planRetryMs(attempts, policy, 0))
  expect(waits).toEqual([5000, 10_000, 20_000, 40_000, 600_000, 600_000])
  expect(planRetryMs(1, policy, 1)).toBe(6250)
})

test('a wait that is set to nothing doubles all the same', () => {
  const waits = [1, 2, 3, 30].map((attempts) => planRetryMs(attempts, { retryDelayMs: 0 }, 0))
  expect(waits).toEqual([100, 200, 400, 600_000])
})

test('a peer rests a minute at most, or as long as is set', () => {
  const rests = [1000, 120_000, 10 ** 9].map((retryDelayMs) =>
    [1, 2, 50].map((faults) => planRestMs(faults, { retryDelayMs }, 0))
  )
  expect(rests).toEqual([
    [1000, 2000, 60_000],
    [120_000, 120_000, 120_000],
    [600_000, 600_000, 600_000]
  ])
})

test('a peer that is believed to hold the blob goes before one that is idle', () => {
  const peers = [peer('idle'), peer('holder', { believed: true, owedBytes: 1000 })]
  expect(planHolder(peers, new Set(), 0)).toBe('holder')
})

test('of equals the least busy is asked', () => {
  const peers = [peer('busy', { owedBytes: 5 }), peer('free', { owedBytes: 4 })]
  expect(planHolder(peers, new Set(), 0)).toBe('free')
})

test('one that was far too slow is asked for less, and after others', () => {
  const slow = peer('slow', { isSlow: true })
  const busy = peer('busy', { owedBytes: 3 * MIB })
  expect(planHolder([slow, busy], new Set(), 0)).toBe('busy')
  expect(planReadOrder([slow, busy], 0)).toEqual(['busy', 'slow'])
  expect(planHolder([slow, peer('full', { owedBytes: 4 * MIB })], new Set(), 0)).toBe('slow')
  const owes = { ...slow, owedBytes: 256 * 1024 }
  expect([hasRoom(slow), hasRoom(owes), hasRoom(owes, 'new')]).toEqual([true, false, false])
})

test('of equals the nearest is asked, until it owes more than the way to the other costs', () => {
  const far = peer('far', { latencyMs: 200 })
  const asked = (owedBytes: number, latencyMs = 1) => {
    const peers = [far, peer('near', { latencyMs, owedBytes })]
    return [planHolder(peers, new Set(), 0), planReadOrder(peers, 0)[0]]
  }
  expect(asked(0)).toEqual(['near', 'near'])
  expect(asked(796_001)).toEqual(['far', 'far'])
  // a round trip that was measured amid a standstill keeps nobody out
  expect(
    planHolder([peer('a', { latencyMs: 60_000 }), peer('b', { owedBytes: 3e6 })], new Set(), 0)
  ).toBe('a')
})

test.each([
  ['lacks it', {}, new Set(['x'])],
  ['rests', { restsUntilMs: 1001 }, new Set<string>()],
  ['owes too much', { owedBytes: 4 * MIB }, new Set<string>()]
])('a peer that %s is not asked', (_why, more, lacking) => {
  expect(planHolder([peer('x', more)], lacking, 1000)).toBeUndefined()
})

test.each([
  ['nothing is known of', 0, 4 * MIB],
  ['is slow', MIB, 4 * MIB],
  ['sends 3 MiB a second', 3 * MIB, 6 * MIB],
  ['is fast', 100 * MIB, 16 * MIB]
])('a peer that %s owes so much and no more', (_, rate, owedBytes) => {
  expect(hasRoom({ rate, owedBytes: owedBytes - 1 })).toBe(true)
  expect(hasRoom({ rate, owedBytes })).toBe(false)
})

test('a reader’s blob is asked of who works, then of who has it, then of who is idle', () => {
  const peers = [
    peer('resting', { believed: true, restsUntilMs: 1001 }),
    peer('busy', { owedBytes: 5 }),
    peer('free'),
    peer('holder', { believed: true, owedBytes: 9 })
  ]
  expect(planReadOrder(peers, 1000)).toEqual(['holder', 'free', 'busy', 'resting'])
  expect(planReadOrder(peers, 2000)).toEqual(['resting', 'holder', 'free', 'busy'])
})

test('requests are bounded in blobs and bytes, and hold each blob once', () => {
  const sizes = [3, 3, 3, 20, 1, 1, 1, 1]
  const blobs = sizes.map((bytes, n) => ({ hash: String(n) as ContentHash, bytes }))
  const cut = [...requestsOf(blobs, { itemsMax: 3, bytesMax: 7 })]
  expect(cut.map((request) => request.map(({ bytes }) => bytes))).toEqual([
    [3, 3],
    [3],
    [20],
    [1, 1, 1],
    [1]
  ])
})

test('what is slow is asked for alone', () => {
  const blobs = [1, 2, 3].map((n) => ({ hash: `${n}` as ContentHash, bytes: n, isSlow: n === 2 }))
  const cut = [...requestsOf(blobs, { itemsMax: 9, bytesMax: 9 })]
  expect(cut.map((request) => request.map(({ bytes }) => bytes))).toEqual([[2], [1, 3]])
})

test.each([
  [63, 0, false],
  [64, 0, true],
  [1, 8 * MIB - 1, false],
  [1, 8 * MIB, true]
])('%i blobs of %i bytes in all are much: %s', (wants, wantBytes, much) => {
  expect(isMuch({ wants, wantBytes })).toBe(much)
})

test('more is looked for once a peer owes half of what it may', () => {
  expect(runsLow({ rate: 0, owedBytes: 2 * MIB })).toBe(true)
  expect(runsLow({ rate: 0, owedBytes: 2 * MIB + 1 })).toBe(false)
})
