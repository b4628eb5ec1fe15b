// Notices that a peer sends nothing any more, or as good as nothing, and leaves out the time that
// this node takes itself.

import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import type { Clock } from '../base/clock.ts'

/**
 * Bytes a second that come at least on a line that is of any use: a slow one of 20 kB/s that five
 * streams share brings as much, and so does the least limit that a sender can have.
 */
export const PACE_MIN = 4096
/** An answer counts as so many more: many small ones take their time without any fault. */
const ANSWER_BYTES = PACE_MIN
/** Waits that make up for no bytes, in all: so many times what one of them may last. */
const STALLS = 2

/** A peer has sent so little for so long that what it holds up is asked of others. */
export class TooSlow extends Error {
  constructor() {
    super(`less than ${PACE_MIN} bytes a second came, and others have it`)
  }
}

/** Nothing has come for too long. */
export class Silent extends Error {
  constructor(stallMs: number) {
    super(`nothing came for ${stallMs / 1000} s (file_storage.sync_timeout is the most)`)
  }
}

export interface StallWatchParts {
  readonly clock: Clock
  /** A wait that lasts longer is one too long. */
  readonly stallMs: number
  /** Hears why nothing more is expected: what is waited for then is over. */
  readonly onStall: (why: Error) => void
  /** Whether others can be asked: who is slow, and alone, is waited for all the same. */
  readonly isElsewhere?: (() => boolean) | undefined
}

export class StallWatch {
  readonly #parts: StallWatchParts
  /** When the wait ends that is under way. */
  #endMs: number | undefined
  /** How much of it counts already. */
  #countedMs = 0
  /** Waits may last so long before more has to come: bytes make it longer, up to the most. */
  #patienceMs: number
  #cancelTimer: (() => void) | undefined

  constructor(parts: StallWatchParts) {
    this.#parts = parts
    this.#patienceMs = this.#patienceMsMax
  }

  /** Something must move within the time, counted from now. */
  wait(ms = this.#parts.stallMs): void {
    const { clock } = this.#parts
    const nowMs = clock.monotonicMs()
    this.#count(nowMs)
    this.#countedMs = nowMs
    this.#endMs = nowMs + ms
    this.#cancelTimer ??= clock.after(ms, () => this.#look())
  }

  /** Nothing is waited for. */
  rest(): void {
    this.#count(this.#parts.clock.monotonicMs())
    this.#endMs = undefined
  }

  /** So many bytes have come. */
  came(bytes: number): void {
    const patienceMs = this.#patienceMs + (bytes / PACE_MIN) * 1000
    this.#patienceMs = Math.min(patienceMs, this.#patienceMsMax)
  }

  /** All is answered: what comes later has all the time again. */
  stop(): void {
    this.#endMs = undefined
    this.#patienceMs = this.#patienceMsMax
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  /** The pieces of a body, each of which must come in time. */
  async *watched(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      this.wait()
      for await (const piece of body) {
        this.rest()
        this.came(piece.byteLength)
        yield piece
        this.wait()
      }
    } finally {
      this.rest()
    }
  }

  /** An answer whose bytes, each piece of them, must come in time. */
  watchedAnswer(answer: BlobAnswer): BlobAnswer {
    this.answered()
    answer.watch?.(() => this.#moved())
    const onPiece = (bytes: number) => {
      this.wait()
      this.came(bytes)
    }
    const whole = async () => {
      try {
        this.wait()
        return await answer.whole(onPiece)
      } finally {
        this.rest()
      }
    }
    return { ...answer, body: this.watched(answer.body), whole }
  }

  /** The answer to one blob has begun, or is that there is none. */
  answered(): void {
    this.came(ANSWER_BYTES)
  }

  /** Something has come that counts when more has. */
  #moved(): void {
    if (this.#endMs !== undefined) this.wait()
  }

  get #patienceMsMax(): number {
    return STALLS * this.#parts.stallMs
  }

  #count(nowMs: number): void {
    if (this.#endMs === undefined) return
    this.#patienceMs -= nowMs - this.#countedMs
    this.#countedMs = nowMs
  }

  /** One timer for many short waits: it is set again only when it has run. */
  #look(): void {
    this.#cancelTimer = undefined
    if (this.#endMs === undefined) return
    const { clock, stallMs, onStall, isElsewhere } = this.#parts
    const nowMs = clock.monotonicMs()
    const leftMs = this.#endMs - nowMs
    if (leftMs <= 0) {
      this.#endMs = undefined
      onStall(new Silent(stallMs))
      return
    }
    this.#count(nowMs)
    if (this.#patienceMs <= 0) {
      this.#patienceMs = this.#patienceMsMax
      if (isElsewhere?.() === true) {
        this.#endMs = undefined
        onStall(new TooSlow())
        return
      }
    }
    this.#cancelTimer = clock.after(leftMs, () => this.#look())
  }
}
