// A few at a time; the others wait in their order, and not too many of them.

import { NodeError } from './errors.ts'

/** What is told to who can't have a turn. */
export function busy(): NodeError {
  return new NodeError('BUSY', 'Too many requests wait for other servers. Try again in a moment.')
}

export interface TurnsOptions {
  readonly runningMax: number
  readonly waitingMax: number
}

export class Turns {
  readonly #options: TurnsOptions
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /**
   * Runs the task when it is its turn. Throws BUSY if too many wait, the signal's reason if it is
   * aborted before, and what the task throws.
   */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#turn(signal)
    try {
      return await task()
    } finally {
      this.#next()
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#running < this.#options.runningMax) {
      this.#running++
      return
    }
    if (this.#waiting.length >= this.#options.waitingMax) {
      throw busy()
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    await promise
    signal.removeEventListener('abort', onAbort)
    if (!signal.aborted) return
    const at = this.#waiting.indexOf(resolve)
    if (at >= 0) this.#waiting.splice(at, 1)
    else this.#next() // it was given at the same moment
    throw signal.reason
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }
}
