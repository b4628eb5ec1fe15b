// Whether the clock of the machine can be trusted with ages: after a leap ahead everything looks
// old at once, and what is thrown away for its age does not come back.

import type { Clock } from './clock.ts'

/** Time that a clock may gain by itself, or by being set right. */
const LEAP_MS_MIN = 60 * 60_000
/** Long enough for a person to see that the clock is wrong, and set it right. */
const DOUBT_MS = 24 * 60 * 60_000
/** After so long without a run nobody knows whether the node was off, or the clock is wrong now. */
const AWAY_MS_MIN = 3 * 24 * 60 * 60_000

/** What the next run is told of this one. */
export interface ClockNote {
  /** What the clock said last. */
  readonly wallMs: number
  /** What it said after its last leap, while that is in doubt. */
  readonly leaptMs?: number | undefined
}

export class SteadyClock {
  readonly #clock: Clock
  #wallMs: number
  #steadyMs: number
  #leaptMs: number | undefined
  #doubtUntilMs = Number.NEGATIVE_INFINITY

  /** `before`: the last note of an earlier run. */
  constructor(clock: Clock, before?: ClockNote) {
    this.#clock = clock
    this.#wallMs = clock.now()
    this.#steadyMs = clock.monotonicMs()
    if (before === undefined) return
    const agoMs = this.#wallMs - (before.leaptMs ?? Number.NEGATIVE_INFINITY)
    if (agoMs >= 0 && agoMs < DOUBT_MS) this.#doubt(this.#wallMs - agoMs, DOUBT_MS - agoMs)
    else if (this.#wallMs - before.wallMs >= AWAY_MS_MIN) this.#doubt(this.#wallMs, DOUBT_MS)
  }

  /**
   * To be asked often. False for a day after the clock has leapt ahead, or after a start that comes
   * days after the last run; true once it is back.
   */
  isSteady(): boolean {
    const [wallMs, steadyMs] = [this.#clock.now(), this.#clock.monotonicMs()]
    const leapMs = wallMs - this.#wallMs - (steadyMs - this.#steadyMs)
    this.#wallMs = wallMs
    this.#steadyMs = steadyMs
    if (leapMs >= LEAP_MS_MIN) this.#doubt(wallMs, DOUBT_MS)
    if (leapMs <= -LEAP_MS_MIN || steadyMs >= this.#doubtUntilMs) this.#doubt(undefined, 0)
    return this.#leaptMs === undefined
  }

  /** As of the last time that it was asked. */
  get note(): ClockNote {
    return { wallMs: this.#wallMs, ...(this.#leaptMs !== undefined && { leaptMs: this.#leaptMs }) }
  }

  #doubt(leaptMs: number | undefined, forMs: number): void {
    this.#leaptMs = leaptMs
    this.#doubtUntilMs = this.#steadyMs + forMs
  }
}
