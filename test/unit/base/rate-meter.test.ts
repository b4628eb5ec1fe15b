import { expect, test } from 'vitest'
import { RateMeter } from '../../../src/base/rate-meter.ts'
import { ManualClock } from '../../support/manual-clock.ts'

test('an even flow has its rate from the first second on', () => {
  const clock = new ManualClock()
  const meter = new RateMeter(clock)
  expect(meter.perSecond).toBe(0)
  for (let n = 0; n < 600; n++) {
    meter.add(100)
    clock.advance(100)
    if (n >= 10) expect(Math.abs(meter.perSecond - 1000)).toBeLessThan(25)
  }
})

test('what stops is forgotten, and a burst at the start is not taken for a rate', () => {
  const clock = new ManualClock()
  const meter = new RateMeter(clock)
  meter.add(1000)
  expect(meter.perSecond).toBeLessThan(1200)
  clock.advance(30_000)
  expect(meter.perSecond).toBeLessThan(1)
})

test('where nothing has come for ten seconds there is no rate, however fast it was before', () => {
  const clock = new ManualClock()
  const meter = new RateMeter(clock)
  for (let n = 0; n < 100; n++) {
    meter.add(1e8)
    clock.advance(100)
  }
  clock.advance(9_000)
  expect(meter.perSecond).toBeGreaterThan(1e6)
  clock.advance(1_000)
  expect(meter.perSecond).toBe(0)
  meter.add(1e8)
  expect(meter.perSecond).toBeGreaterThan(1e6)
})
