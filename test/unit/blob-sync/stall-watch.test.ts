import { expect, test } from 'vitest'
import { StallWatch } from '../../../src/blob-sync/stall-watch.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function watching(stallMs = 1000) {
  const clock = new ManualClock()
  const seen = { stalls: 0 }
  const watch = new StallWatch(clock, stallMs, () => seen.stalls++)
  return { clock, seen, watch }
}

test('a wait that is too long is noticed once; what moves in time is not', () => {
  const { clock, seen, watch } = watching()
  for (let n = 0; n < 10; n++) {
    watch.wait()
    clock.advance(900)
  }
  expect(seen.stalls).toBe(0)
  clock.advance(100)
  expect(seen.stalls).toBe(1)
  clock.advance(10_000)
  expect(seen.stalls).toBe(1)
})

test('time that the reader of a body takes does not count, and no timer stays', async () => {
  const { clock, seen, watch } = watching()
  const gate = Promise.withResolvers<void>()
  async function* body() {
    yield new Uint8Array(1)
    yield new Uint8Array(2)
    await gate.promise
  }
  const pieces = watch.watched(body())
  await pieces.next()
  clock.advance(50_000)
  await pieces.next()
  clock.advance(50_000)
  expect(seen.stalls).toBe(0)
  const last = pieces.next()
  await Promise.resolve()
  clock.advance(1000)
  expect(seen.stalls).toBe(1)
  gate.resolve()
  expect((await last).done).toBe(true)
  watch.wait()
  watch.stop()
  expect(clock.pending).toBe(0)
  clock.advance(10_000)
  expect(seen.stalls).toBe(1)
})
