import { expect, test } from 'vitest'
import { aheadOf } from '../../../src/store/disk-clock.ts'

const HOUR_MS = 3_600_000
const NOW_MS = 1_700_000_000_000

test.each([
  ['is ours', { was: -HOUR_MS, is: 2 }, { tookMs: 4 }, 0],
  ['ticks seldom', { was: -2000, is: -2000 }, { tookMs: 4 }, 0],
  ['is an hour ahead', { was: 0, is: HOUR_MS + 4 }, { tookMs: 4 }, HOUR_MS],
  ['is an hour behind', { was: -2 * HOUR_MS, is: -HOUR_MS }, { tookMs: 4 }, -HOUR_MS],
  ['is ours, on a machine that slept meanwhile', { was: -HOUR_MS, is: 2 }, { tookMs: HOUR_MS }, 0],
  ['says nothing of what was touched', { was: -HOUR_MS, is: -HOUR_MS }, { tookMs: 4 }, undefined]
])('the clock of a disk that %s', (_, { was, is }, { tookMs }, aheadMs) => {
  const before = { ctimeMs: NOW_MS + was, nowMs: NOW_MS }
  const after = { ctimeMs: NOW_MS + is, nowMs: NOW_MS + tookMs }
  expect(aheadOf(before, after)).toBe(aheadMs)
})
