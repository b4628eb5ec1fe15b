import { expect, test } from 'vitest'
import { PACE_MIN, StallWatch, TooSlow } from '../../../src/blob-sync/stall-watch.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function watching(stallMs = 1000, isElsewhere = false) {
  const clock = new ManualClock()
  const seen = { stalls: 0 }
  const onStall = () => seen.stalls++
  const watch = new StallWatch({ clock, stallMs, onStall, isElsewhere: () => isElsewhere })
  return { clock, seen, watch }
}

/** Bytes come at this pace for a minute; what is thought of it. */
function afterMinute(perSecond: number, isElsewhere: boolean, take = (_ms: number) => {}) {
  const clock = new ManualClock()
  const whys: Error[] = []
  const onStall = (why: Error) => whys.push(why)
  const watch = new StallWatch({ clock, stallMs: 2000, onStall, isElsewhere: () => isElsewhere })
  for (let n = 0; n < 120 && whys.length === 0; n++) {
    watch.wait()
    clock.advance(500)
    watch.rest()
    watch.came(perSecond / 2)
    take(n)
  }
  watch.stop()
  expect(clock.pending).toBe(0)
  return whys
}

test('a peer that drips has failed where others can be asked, and there alone', () => {
  expect(afterMinute(100, true)).toEqual([expect.any(TooSlow)])
  expect(afterMinute(PACE_MIN - 500, true)).toHaveLength(1)
  expect(afterMinute(100, false)).toEqual([])
})

test('a slow line is none that drips, nor is one that pauses', () => {
  expect(afterMinute(PACE_MIN, true)).toEqual([])
  expect(afterMinute(20_000, true)).toEqual([])
  const { clock, seen, watch } = watching(2000, true)
  for (let n = 0; n < 20; n++) {
    watch.wait()
    clock.advance(1900)
    watch.rest()
    watch.came(8000)
  }
  expect(seen.stalls).toBe(0)
})

test('small answers that take their time are no fault, nor is what this node takes', () => {
  const { clock, seen, watch } = watching(2000, true)
  for (let n = 0; n < 100; n++) {
    watch.wait()
    clock.advance(900)
    watch.answered()
  }
  for (let n = 0; n < 100; n++) {
    watch.wait()
    clock.advance(1)
    watch.rest()
    clock.advance(5000)
  }
  expect(seen.stalls).toBe(0)
})

test('what is asked anew has all its time', () => {
  const { clock, seen, watch } = watching(2000, true)
  for (let n = 0; n < 100; n++) {
    watch.wait()
    clock.advance(1900)
    watch.stop()
  }
  expect(seen.stalls).toBe(0)
})

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
