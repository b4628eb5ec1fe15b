import { expect, test } from 'vitest'
import { Patience } from '../../../src/blob-sync/patience.ts'
import { ManualClock } from '../../support/manual-clock.ts'

test('a holder gets a small multiple of its usual time, within bounds', () => {
  const clock = new ManualClock()
  const patience = new Patience(clock)
  const ask = (ms: number, hasBegun = true) => {
    const told = patience.asked('p')
    clock.advance(ms)
    told(hasBegun)
    told(!hasBegun)
  }
  expect(patience.ms('p')).toBe(1000)
  ask(500)
  expect([patience.ms('p'), patience.ms('q')]).toEqual([2000, 1000])
  ask(1300)
  expect(patience.ms('p')).toBe(2400)
  // what fails at once is not quick, what does not begin for long is slow
  ask(1, false)
  expect(patience.ms('p')).toBe(2400)
  ask(1400, false)
  expect(patience.ms('p')).toBe(2800)
  for (let n = 0; n < 50; n++) ask(1)
  expect(patience.ms('p')).toBe(300)
  for (let n = 0; n < 50; n++) ask(60_000)
  expect(patience.ms('p')).toBe(5000)
})

test('one that never begins gets more time too, where nothing was known of it', () => {
  const clock = new ManualClock()
  const patience = new Patience(clock)
  const giveUp = (ms: number) => {
    const told = patience.asked('p')
    clock.advance(ms)
    told(false)
  }
  giveUp(1)
  expect(patience.ms('p')).toBe(1000)
  for (let n = 0; n < 10; n++) giveUp(patience.ms('p'))
  expect(patience.ms('p')).toBe(5000)
})
