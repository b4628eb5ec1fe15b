// The clock of tests. It stands still until a test moves it: at once, or as far as some work needs.

import type { Clock } from '../../src/base/clock.ts'

interface Timer {
  readonly atMs: number
  readonly task: () => void
}

export class ManualClock implements Clock {
  #nowMs: number
  #jumpedMs = 0
  /** The next one last; of one moment, the first that was set is the first to run. */
  readonly #timers: Timer[] = []

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
  }

  now(): number {
    return Math.floor(this.#nowMs) + this.#jumpedMs // as Date.now() does
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(ms: number, task: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(ms, 0), task }
    let at = this.#timers.length
    while (at > 0 && (this.#timers[at - 1] as Timer).atMs <= timer.atMs) at--
    this.#timers.splice(at, 0, timer)
    return () => {
      const found = this.#timers.indexOf(timer)
      if (found >= 0) this.#timers.splice(found, 1)
    }
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.length
  }

  /** Moves on, running what falls due in its order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    while (this.#timers.length > 0 && (this.#timers.at(-1) as Timer).atMs <= endMs) this.#step()
    this.#nowMs = endMs
  }

  /** The clock of the machine is set back or forward: no timer runs, and durations stay. */
  jump(ms: number): void {
    this.#jumpedMs += ms
  }

  /**
   * Moves on until the work has ended, from timer to timer, and only when nothing else can happen.
   * Rejects if the work waits for something that never comes.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    let ended = false
    const result = work().finally(() => {
      ended = true
    })
    result.catch(() => {})
    for (;;) {
      await settled()
      if (ended) return result
      if (!this.#step()) throw new Error('the work waits, but nothing is left that could happen')
    }
  }

  /** The same for so much time. */
  async pass(ms: number): Promise<void> {
    await this.run(() => new Promise((resolve) => this.after(ms, () => resolve(undefined))))
  }

  #step(): boolean {
    const timer = this.#timers.pop()
    if (timer === undefined) return false
    this.#nowMs = Math.max(this.#nowMs, timer.atMs)
    timer.task()
    return true
  }
}

/**
 * All promises that can go on have done so: a tick comes after them, if it is asked for among them.
 * Three times cheaper than a turn of the event loop, for which nothing in memory waits.
 */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    queueMicrotask(() => process.nextTick(resolve))
  })
}
