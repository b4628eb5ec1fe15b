// Whether the clock of the machine can be trusted with ages: after a leap ahead everything looks
// old at once, and what is thrown away for its age does not come back.

import type { Clock } from './clock.ts'

/** Time that a clock may gain by itself, or by being set right. */
const LEAP_MS_MIN = 60 * 60_000
/** Long enough for a person to see that the clock is wrong, and set it right. */
const DOUBT_MS = 24 * 60 * 60_000

export class SteadyClock {
  readonly #clock: Clock
  #wallMs: number
  #steadyMs: number
  #doubtUntilMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
    this.#wallMs = clock.now()
    this.#steadyMs = clock.monotonicMs()
  }

  /** To be asked often. False for a day after the clock has leapt ahead; true once it is back. */
  isSteady(): boolean {
    const [wallMs, steadyMs] = [this.#clock.now(), this.#clock.monotonicMs()]
    const leapMs = wallMs - this.#wallMs - (steadyMs - this.#steadyMs)
    this.#wallMs = wallMs
    this.#steadyMs = steadyMs
    if (leapMs >= LEAP_MS_MIN) this.#doubtUntilMs = steadyMs + DOUBT_MS
    if (leapMs <= -LEAP_MS_MIN) this.#doubtUntilMs = Number.NEGATIVE_INFINITY
    return steadyMs >= this.#doubtUntilMs
  }
}
