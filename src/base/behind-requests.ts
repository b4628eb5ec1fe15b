// Work of the event loop that requests of clients go before: as long as there are some it is done
// in little pieces, with a turn of the loop in between, and as fast as it comes otherwise.

import { othersTurn } from './clock.ts'
import type { RequestCount } from './request-count.ts'

/**
 * An image that comes from another server takes the event loop 0.3 ms, the thread that brings it as
 * long again, and an answer from memory 0.02: so the loop has as much time for either.
 */
const REQUESTS_A_PIECE = 20
/** After so many turns without a request nobody waits, but clients that take long to ask again. */
const QUIET_TURNS = 8
/** Done in one turn where nobody waits. */
const PIECES_MAX = 32

export class BehindRequests<T> {
  readonly #requests: Pick<RequestCount, 'begun'> | undefined
  readonly #work: (piece: T) => void
  readonly #waiting: T[] = []
  #seen: number
  #isGoing = false
  #quietTurns = QUIET_TURNS

  /** `work` must not throw. Without `requests` nothing waits. */
  constructor(requests: Pick<RequestCount, 'begun'> | undefined, work: (piece: T) => void) {
    this.#requests = requests
    this.#work = work
    this.#seen = requests?.begun ?? 0
  }

  /** All of it is done in this order, at once where nobody waits. */
  add(pieces: readonly T[]): void {
    if (this.#isGoing) {
      this.#waiting.push(...pieces)
      return
    }
    const may = this.#mayDo()
    if (this.#quietTurns >= QUIET_TURNS) {
      for (const piece of pieces) this.#work(piece)
      return
    }
    this.#waiting.push(...pieces)
    void this.#go(may)
  }

  /** Does at once what is left. */
  flush(): void {
    for (const piece of this.#waiting.splice(0)) this.#work(piece)
  }

  async #go(first: number): Promise<void> {
    this.#isGoing = true
    for (let may = first; this.#waiting.length > 0; may = this.#mayDo()) {
      for (const piece of this.#waiting.splice(0, may)) this.#work(piece)
      await othersTurn()
    }
    this.#isGoing = false
  }

  /** How many pieces may be done in this turn. */
  #mayDo(): number {
    const begun = this.#requests?.begun ?? 0
    const requests = begun - this.#seen
    this.#seen = begun
    this.#quietTurns = requests > 0 ? 0 : this.#quietTurns + 1
    if (this.#quietTurns >= QUIET_TURNS) return PIECES_MAX
    return Math.max(1, Math.floor(requests / REQUESTS_A_PIECE))
  }
}
