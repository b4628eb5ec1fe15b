import { beforeEach, expect, test } from 'vitest'
import type { EntriesSource } from '../../../protocols/entries/source.ts'
import { CompareWatch } from '../../../src/index-sync/compare-watch.ts'
import { ManualClock } from '../../support/manual-clock.ts'

let clock: ManualClock
let watch: CompareWatch
let seen: EntriesSource
beforeEach(() => {
  clock = new ManualClock()
  watch = new CompareWatch(clock)
  const source = { beyond: () => ({}), push: async () => undefined, status: () => ({}) }
  seen = watch.watched(source as never, 'p')
})

test('a peer that looks into the tree is comparing, until it has been quiet for long', () => {
  expect(watch.includes('p')).toBe(false)
  seen.beyond(0)
  expect([watch.includes('p'), watch.includes('q')]).toEqual([true, false])
  clock.advance(1999)
  expect(watch.includes('p')).toBe(true)
  clock.advance(1)
  expect(watch.includes('p')).toBe(false)
})

test('so is one that hands over what was found missing, but not one with news', async () => {
  await seen.push([], ['p', 'own'], 'p')
  await seen.status(0)
  expect(watch.includes('p')).toBe(false)
  await seen.status(7)
  expect(watch.horizonOf('p')).toBe(0)
  seen.beyond(0) // to fetch by name
  await seen.push([], [], 'p')
  expect([watch.includes('p'), watch.horizonOf('p')]).toEqual([true, 7])
})

test('one that has come anew is not', () => {
  seen.beyond(7)
  expect(watch.horizonOf('p')).toBe(7)
  watch.forget('p')
  expect([watch.includes('p'), watch.horizonOf('p')]).toEqual([false, 0])
})
