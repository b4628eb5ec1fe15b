import { expect, test } from 'vitest'
import { catchingUpOf, firstComparison } from '../../../src/mesh/first-comparison.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const MINUTE_MS = 60_000

/** How long it waits, in a world that is as told from so many milliseconds on. */
async function waited(
  world: { compared?: number; others?: number; pastLost?: boolean },
  signal = new AbortController().signal
): Promise<number> {
  const clock = new ManualClock()
  const isSo = (fromMs = Number.POSITIVE_INFINITY) => clock.monotonicMs() - startMs >= fromMs
  const startMs = clock.monotonicMs()
  await clock.run(() =>
    firstComparison(
      {
        clock,
        hasCompared: () => isSo(world.compared),
        knowsOthers: () => isSo(world.others),
        isPastLost: () => world.pastLost ?? false
      },
      signal
    )
  )
  return clock.monotonicMs() - startMs
}

test('who knows of nobody waits for nobody', async () => {
  expect(await waited({})).toBe(0)
})

test('others are waited for until they were compared with, and for ten minutes', async () => {
  expect(await waited({ others: 0, compared: 0 })).toBe(0)
  expect(await waited({ others: 0, compared: MINUTE_MS })).toBe(MINUTE_MS)
  expect(await waited({ others: 0 })).toBe(10 * MINUTE_MS)
})

test('who had an index before gives others time to be found', async () => {
  expect(await waited({ pastLost: true })).toBe(30_000)
  expect(await waited({ pastLost: true, others: 20_000, compared: MINUTE_MS })).toBe(MINUTE_MS)
})

test('a stop ends it', async () => {
  const stopped = AbortSignal.abort(new Error('stopping'))
  await expect(waited({ others: 0 }, stopped)).rejects.toThrow('stopping')
})

test('readers are asked to come again for a while after the start, if others are known', () => {
  const clock = new ManualClock()
  let [compared, others] = [false, false]
  const isCatchingUp = catchingUpOf({
    clock,
    hasCompared: () => compared,
    knowsOthers: () => others
  })
  expect(isCatchingUp()).toBe(false)
  others = true
  expect(isCatchingUp()).toBe(true)
  compared = true
  expect(isCatchingUp()).toBe(false)
  compared = false
  clock.advance(10_000)
  expect(isCatchingUp()).toBe(false)
})
