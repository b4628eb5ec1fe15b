import { expect, test } from 'vitest'
import { SteadyClock } from '../../../src/base/steady-clock.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const HOUR_MS = 3_600_000

test('time that passes is no leap, however long it is', () => {
  const clock = new ManualClock()
  const steady = new SteadyClock(clock)
  clock.advance(100 * 24 * HOUR_MS)
  expect(steady.isSteady()).toBe(true)
  clock.jump(HOUR_MS / 2)
  expect(steady.isSteady()).toBe(true)
})

test('a leap ahead is doubted for a day, or until it is taken back', () => {
  const clock = new ManualClock()
  const steady = new SteadyClock(clock)
  clock.jump(8 * 24 * HOUR_MS)
  expect(steady.isSteady()).toBe(false)
  clock.advance(23 * HOUR_MS)
  expect(steady.isSteady()).toBe(false)
  clock.advance(HOUR_MS)
  expect(steady.isSteady()).toBe(true)
  clock.jump(8 * 24 * HOUR_MS)
  expect(steady.isSteady()).toBe(false)
  clock.jump(-8 * 24 * HOUR_MS)
  expect(steady.isSteady()).toBe(true)
})
