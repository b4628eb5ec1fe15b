// Lets so many uploads in at one time, and keeps the others waiting in the order in which they
// came.
//
// Waiting costs a client nothing: its body is still its own. It is sent away only when nothing
// moves.

import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'

/** No place came free for so long: those inside are slow, and waiting is no use. */
export const STALL_MS_MAX = 5_000
/** Clients have time limits of their own, mostly of a minute or more. */
export const WAIT_MS_MAX = 60_000
/** As many as the server has connections, so that connections are what is scarce. */
export const WAITING_MAX = 16_384
const CHECK_MS = 1_000
const RETRY_AFTER_MS = 10_000

interface Waiting {
  readonly sinceMs: number
  readonly admit: () => void
  readonly refuse: () => void
}

export class UploadGate {
  readonly #clock: Clock
  readonly #uploadsMax: number
  /** In the order of arrival. */
  readonly #waiting = new Set<Waiting>()
  #inside = 0
  #lastLeftMs = 0
  #checking = false

  constructor({ clock }: { readonly clock: Clock }, uploadsMax: number) {
    this.#clock = clock
    this.#uploadsMax = uploadsMax
  }

  /** Uploads that have not ended, those that wait included. */
  get running(): number {
    return this.#inside + this.#waiting.size
  }

  /**
   * Resolves with what gives the place back, to be called in any case. Throws BUSY, or the signal's
   * reason.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#inside < this.#uploadsMax) {
      this.#inside++
      return this.#exit()
    }
    if (this.#waiting.size >= WAITING_MAX) throw busy()
    await new Promise<void>((resolve, reject) => {
      const leaveQueue = () => {
        this.#waiting.delete(waiting)
        signal.removeEventListener('abort', onAbort)
      }
      const onAbort = () => {
        leaveQueue()
        reject(signal.reason)
      }
      const waiting: Waiting = {
        sinceMs: this.#clock.monotonicMs(),
        admit() {
          leaveQueue()
          resolve()
        },
        refuse() {
          leaveQueue()
          reject(busy())
        }
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiting)
      this.#checkLater()
    })
    return this.#exit()
  }

  get waiting(): number {
    return this.#waiting.size
  }

  #exit(): () => void {
    let left = false
    return () => {
      if (left) return
      left = true
      this.#lastLeftMs = this.#clock.monotonicMs()
      const [next] = this.#waiting
      // the place goes to the next one without being free in between
      if (next === undefined) this.#inside--
      else next.admit()
    }
  }

  #checkLater(): void {
    if (this.#checking || this.#waiting.size === 0) return
    this.#checking = true
    this.#clock.after(CHECK_MS, () => {
      this.#checking = false
      this.#refuseOverdue()
      this.#checkLater()
    })
  }

  #refuseOverdue(): void {
    const now = this.#clock.monotonicMs()
    for (const waiting of this.#waiting) {
      const movedMs = Math.max(this.#lastLeftMs, waiting.sinceMs)
      const overdue = now - movedMs >= STALL_MS_MAX || now - waiting.sinceMs >= WAIT_MS_MAX
      if (!overdue) return // those behind came later
      waiting.refuse()
    }
  }
}

function busy(): NodeError {
  return new NodeError(
    'BUSY',
    'Too many uploads are under way. Try again in a moment (http.uploads_max says how many run at one time).',
    { retryAfterMs: RETRY_AFTER_MS }
  )
}
