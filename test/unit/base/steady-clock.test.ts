import { expect, test } from 'vitest'
import { type ClockNote, SteadyClock } from '../../../src/base/steady-clock.ts'
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

test('a start days after the last run is doubted for a day, over further starts', () => {
  const clock = new ManualClock()
  let steady = new SteadyClock(clock)
  const restartAfter = (ms: number): boolean => {
    steady.isSteady()
    const before: ClockNote = steady.note
    clock.jump(ms)
    steady = new SteadyClock(clock, before)
    return steady.isSteady()
  }
  expect(restartAfter(2 * 24 * HOUR_MS)).toBe(true)
  expect(restartAfter(3 * 24 * HOUR_MS)).toBe(false)
  expect(restartAfter(HOUR_MS)).toBe(false)
  clock.advance(22 * HOUR_MS)
  expect(steady.isSteady()).toBe(false)
  expect(restartAfter(HOUR_MS)).toBe(true)
  expect(steady.note.leaptMs).toBeUndefined()
})

test('a clock that was set right between two runs is trusted', () => {
  const clock = new ManualClock()
  const before = new SteadyClock(clock)
  clock.jump(8 * 24 * HOUR_MS)
  expect(before.isSteady()).toBe(false)
  clock.jump(-8 * 24 * HOUR_MS)
  expect(new SteadyClock(clock, before.note).isSteady()).toBe(true)
})
