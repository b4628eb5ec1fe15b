// Calls into native code: a few at a time, a bounded queue before them, and a limit on how long
// each is waited for.
//
// A native call can't be called off. One that outlives its limit keeps its place, because its
// thread is still busy; once every place is held by such calls, the rest are answered at once
// without being made.

import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'

export interface BoundedCallsOptions {
  readonly runningMax: number
  readonly waitingMax: number
  /** From the start of a call, not from its place in the queue. */
  readonly timeoutMs: number
}

export class BoundedCalls {
  readonly #clock: Clock
  readonly #options: BoundedCallsOptions
  readonly #waiting: ((mayRun: boolean) => void)[] = []
  #running = 0
  #stuck = 0

  constructor({ clock }: { readonly clock: Clock }, options: BoundedCallsOptions) {
    this.#clock = clock
    this.#options = options
  }

  /**
   * The call's result, or undefined if it gave none in time. Throws BUSY when too many wait, and
   * what the call throws.
   */
  async run<T>(call: () => Promise<T>): Promise<T | undefined> {
    const { runningMax, waitingMax } = this.#options
    if (this.#stuck >= runningMax) return undefined
    if (this.#running < runningMax) this.#running++
    else {
      if (this.#waiting.length >= waitingMax) {
        throw new NodeError('BUSY', 'Too many images wait to be checked. Try again in a moment.')
      }
      const mayRun = await new Promise<boolean>((resolve) => this.#waiting.push(resolve))
      if (!mayRun) return undefined
    }
    return this.#limited(call)
  }

  #limited<T>(call: () => Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      let isLate = false
      const cancel = this.#clock.after(this.#options.timeoutMs, () => {
        isLate = true
        this.#stuck++
        if (this.#stuck >= this.#options.runningMax) this.#turnAllAway()
        resolve(undefined)
      })
      const leave = () => {
        cancel()
        if (isLate) this.#stuck--
        const next = this.#waiting.shift()
        if (next === undefined) this.#running--
        else next(true) // the place is handed on
      }
      call().finally(leave).then(resolve, reject)
    })
  }

  #turnAllAway(): void {
    for (const answer of this.#waiting.splice(0)) answer(false)
  }
}
