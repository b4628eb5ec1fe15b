// How long a reader waits for a holder before another one is asked: a small multiple of the time in
// which this holder usually begins to answer.

import type { Clock } from '../base/clock.ts'

const USUAL_FACTOR = 4
/** A disk may have to look for a blob, and a thread to collect its garbage. */
const PATIENCE_MS_MIN = 300
export const PATIENCE_MS_MAX = 5000
/** For a holder of whom nothing is known. */
const FIRST_MS = 1000
/** A time counts so much against all of before. */
const WEIGHT = 1 / 8

export class Patience {
  readonly #clock: Clock
  readonly #usualMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ms(peerId: string): number {
    const usualMs = this.#usualMs.get(peerId)
    if (usualMs === undefined) return FIRST_MS
    return Math.min(Math.max(usualMs * USUAL_FACTOR, PATIENCE_MS_MIN), PATIENCE_MS_MAX)
  }

  /**
   * A holder is asked now: the first word on whether it has begun, or is not waited for any more,
   * counts.
   */
  asked(peerId: string): (hasBegun: boolean) => void {
    const askedMs = this.#clock.monotonicMs()
    let isTold = false
    return (hasBegun) => {
      if (isTold) return
      isTold = true
      const tookMs = this.#clock.monotonicMs() - askedMs
      const usualMs = this.#usualMs.get(peerId) ?? (hasBegun ? tookMs : FIRST_MS / USUAL_FACTOR)
      // what failed at once says nothing of how fast it is
      if (!hasBegun && tookMs <= usualMs) return
      this.#usualMs.set(peerId, usualMs + (tookMs - usualMs) * WEIGHT)
    }
  }
}
