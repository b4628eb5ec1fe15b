// Time and randomness. The only file that touches Date, timers and random sources, so that a
// simulation can own them.

import { randomBytes } from 'node:crypto'

export interface Clock {
  /** Milliseconds since 1970, as the machine believes. */
  now(): number
  /** Milliseconds that never jump: for durations only. */
  monotonicMs(): number
  /**
   * Runs `task` once after `ms`; the returned function calls it off. Does not keep the process
   * alive.
   */
  after(ms: number, task: () => void): () => void
}

export interface Random {
  bytes(count: number): Uint8Array
  /** In [0, 1). */
  fraction(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms)
    timer.unref()
    return () => clearTimeout(timer)
  }
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random()
}

/** For commands: what they wait for keeps the process alive. */
export const commandClock: Clock = {
  ...systemClock,
  after(ms, task) {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  }
}

/** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    const onAbort = () => {
      cancel()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4))

/** Holds up the whole thread: only for what must be done before anything else happens. */
export function holdUp(ms: number): void {
  Atomics.wait(NEVER_WOKEN, 0, 0, ms)
}

/** Resolves when whoever waits for the event loop has had a turn. */
export function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Lower-case hex of `count` random bytes: for names of temporary files, tasks and ids. */
export function randomHex(random: Random, count: number): string {
  return Buffer.from(random.bytes(count)).toString('hex')
}
