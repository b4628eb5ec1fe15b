// So much a second, on average: what was taken before its time is waited for by whoever comes next
// (a token bucket with debt). Nothing is cut into pieces for it.

import type { Clock } from './clock.ts'

/** Who was quiet may take as much at once as flows in so long. */
const SAVED_MS_MAX = 1000

export class RateBucket {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #perSecond: number | undefined
  /** Below zero: taken and not yet flown in. */
  #level = 0
  #atMs: number

  /** `perSecond` undefined: no limit. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, perSecond: number | undefined) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#atMs = clock.monotonicMs()
  }

  /** From now on. Debts under another limit are forgiven. */
  set perSecond(perSecond: number | undefined) {
    if (perSecond === this.#perSecond) return
    this.#perSecond = perSecond
    this.#level = 0
    this.#atMs = this.#clock.monotonicMs()
  }

  get perSecond(): number | undefined {
    return this.#perSecond
  }

  /** Milliseconds until something may be taken; 0: now. */
  get waitMs(): number {
    if (this.#perSecond === undefined) return 0
    this.#flowIn(this.#perSecond)
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level / this.#perSecond) * 1000)
  }

  take(amount: number): void {
    if (this.#perSecond === undefined) return
    this.#flowIn(this.#perSecond)
    this.#level -= amount
  }

  #flowIn(perSecond: number): void {
    const nowMs = this.#clock.monotonicMs()
    const most = (perSecond * SAVED_MS_MAX) / 1000
    this.#level = Math.min(most, this.#level + (perSecond * (nowMs - this.#atMs)) / 1000)
    this.#atMs = nowMs
  }
}
