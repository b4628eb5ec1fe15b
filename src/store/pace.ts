// Whether to call the system at once or by the thread pool. What it has in memory is there at once,
// and a hop to the pool costs more than the call; a disk that is slow would hold up everybody.

import type { Clock } from '../base/clock.ts'

/** What the system has in memory is there sooner. */
const CALL_MS_MAX = 1
/**
 * One that took longer may have waited for the processor, which puts off one of some hundreds; two
 * of so many have not: of a slow disk one read brings along what some dozens of others ask for.
 */
const NEAR_CALLS = 100
/** After these so many leave the event loop to others. */
const SLOW_CALLS = 256

export class Pace {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #sinceSlow = Number.POSITIVE_INFINITY
  #slowCalls = 0

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** The same call in both ways. */
  run<T>(now: () => T, later: () => Promise<T>): T | Promise<T> {
    if (this.#slowCalls > 0) {
      this.#slowCalls--
      return later()
    }
    const beginMs = this.#clock.monotonicMs()
    const result = now()
    this.#sinceSlow++
    if (this.#clock.monotonicMs() - beginMs > CALL_MS_MAX) {
      const isDisk = this.#sinceSlow <= NEAR_CALLS
      this.#sinceSlow = isDisk ? Number.POSITIVE_INFINITY : 0
      if (isDisk) this.#slowCalls = SLOW_CALLS
    }
    return result
  }
}
