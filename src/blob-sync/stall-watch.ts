// Notices that a peer sends nothing any more, and leaves out the time that this node takes itself.

import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import type { Clock } from '../base/clock.ts'

export class StallWatch {
  readonly #clock: Clock
  readonly #stallMs: number
  readonly #onStall: () => void
  /** When the wait ends that is under way. */
  #endMs: number | undefined
  #cancelTimer: (() => void) | undefined

  /** `onStall` is called when a wait lasts longer than `stallMs`. */
  constructor(clock: Clock, stallMs: number, onStall: () => void) {
    this.#clock = clock
    this.#stallMs = stallMs
    this.#onStall = onStall
  }

  /** Something must move within the time, counted from now. */
  wait(ms: number = this.#stallMs): void {
    this.#endMs = this.#clock.monotonicMs() + ms
    this.#cancelTimer ??= this.#clock.after(ms, () => this.#look())
  }

  /** Nothing is waited for. */
  rest(): void {
    this.#endMs = undefined
  }

  stop(): void {
    this.rest()
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  /** The pieces of a body, each of which must come in time. */
  async *watched(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      this.wait()
      for await (const piece of body) {
        this.rest()
        yield piece
        this.wait()
      }
    } finally {
      this.rest()
    }
  }

  /** An answer whose bytes, each piece of them, must come in time. */
  watchedAnswer(answer: BlobAnswer): BlobAnswer {
    const whole = async () => {
      try {
        this.wait()
        return await answer.whole(() => this.wait())
      } finally {
        this.rest()
      }
    }
    return { ...answer, body: this.watched(answer.body), whole }
  }

  /** One timer for many short waits: it is set again only when it has run. */
  #look(): void {
    this.#cancelTimer = undefined
    if (this.#endMs === undefined) return
    const leftMs = this.#endMs - this.#clock.monotonicMs()
    if (leftMs > 0) {
      this.#cancelTimer = this.#clock.after(leftMs, () => this.#look())
    } else {
      this.#endMs = undefined
      this.#onStall()
    }
  }
}

/** What a peer gets to hear that sends nothing any more. */
export function stalled(stallMs: number): Error {
  return new Error(`nothing came for ${stallMs / 1000} s (file_storage.sync_timeout)`)
}
