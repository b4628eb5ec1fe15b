// How fast something has gone lately, in memory that does not grow.

import type { Clock } from './clock.ts'

/** What happened this long ago counts a third. */
const WINDOW_MS = 5000
/** A burst in the first moments is not taken for a rate. */
const AGE_MS_MIN = 1000
/** What has stood still for so long has no rate, and nobody can say when it will be done. */
const QUIET_MS = 10_000

export class RateMeter {
  readonly #clock: Clock
  readonly #startMs: number
  #atMs: number
  #addedMs = Number.NEGATIVE_INFINITY
  /** All amounts, each weighed down by its age. */
  #sum = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startMs = clock.monotonicMs()
    this.#atMs = this.#startMs
  }

  add(amount: number): void {
    this.#age()
    this.#sum += amount
    this.#addedMs = this.#atMs
  }

  /** Smoothed over about the last ten seconds; 0 where nothing happened in them. */
  get perSecond(): number {
    this.#age()
    if (this.#atMs - this.#addedMs >= QUIET_MS) return 0
    const ageMs = Math.max(this.#atMs - this.#startMs, AGE_MS_MIN)
    const windowMs = WINDOW_MS * (1 - Math.exp(-ageMs / WINDOW_MS))
    return (this.#sum / windowMs) * 1000
  }

  #age(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#sum *= Math.exp((this.#atMs - nowMs) / WINDOW_MS)
    this.#atMs = nowMs
  }
}
