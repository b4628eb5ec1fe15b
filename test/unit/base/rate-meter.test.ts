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
