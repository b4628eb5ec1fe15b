// The blobs that are coming now, and how many bytes have come in all.

import type { ContentHash } from '../../protocols/hash.ts'
import type { Clock } from '../base/clock.ts'
import { RateMeter } from '../base/rate-meter.ts'

/** A blob on its way from a peer. */
export interface Transfer {
  readonly hash: ContentHash
  readonly peerId: string
  /** Bytes of the blob that are here, those of an earlier try included. */
  readonly bytesDone: number
  readonly bytes: number
  readonly startedAtMs: number
  /** Bytes a second, smoothed. */
  readonly rate: number
}

export interface Received {
  readonly blobs: number
  readonly bytes: number
}

export interface Coming {
  add(bytes: number): void
  end(): void
}

/** One peer sends a blob at a time, and readers have their own; more than these are not listed. */
const LISTED_MAX = 300

class Moving {
  readonly #about: Omit<Transfer, 'bytesDone' | 'rate'>
  readonly #clock: Clock
  /** From the first bytes on: most blobs have come before anybody asks. */
  #rate: RateMeter | undefined
  bytesDone: number

  constructor(clock: Clock, start: Omit<Transfer, 'rate' | 'startedAtMs'>) {
    const { bytesDone, ...about } = start
    this.#about = { ...about, startedAtMs: clock.now() }
    this.#clock = clock
    this.bytesDone = bytesDone
  }

  add(bytes: number): void {
    this.bytesDone += bytes
    if (this.bytesDone === this.#about.bytes) return // it is over
    this.#rate ??= new RateMeter(this.#clock)
    this.#rate.add(bytes)
  }

  get facts(): Transfer {
    return { ...this.#about, bytesDone: this.bytesDone, rate: this.#rate?.perSecond ?? 0 }
  }
}

export class Transfers {
  readonly #clock: Clock
  readonly #rate: RateMeter
  readonly #moving = new Set<Moving>()
  #bytes = 0
  #blobs = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#rate = new RateMeter(clock)
  }

  /** The pieces of `body` as they come, counted. It is under way until the last of them. */
  async *counted(
    start: Omit<Transfer, 'rate' | 'startedAtMs'>,
    body: AsyncIterable<Uint8Array>
  ): AsyncGenerator<Uint8Array> {
    const coming = this.begin(start)
    try {
      for await (const piece of body) {
        coming.add(piece.byteLength)
        yield piece
      }
    } finally {
      coming.end()
    }
  }

  /** A blob is under way until its end is told. */
  begin(start: Omit<Transfer, 'rate' | 'startedAtMs'>): Coming {
    const moving = new Moving(this.#clock, start)
    this.#moving.add(moving)
    return {
      add: (bytes) => {
        moving.add(bytes)
        this.#rate.add(bytes)
        this.#bytes += bytes
      },
      end: () => this.#moving.delete(moving)
    }
  }

  /** A blob is here whole and right. */
  arrived(): void {
    this.#blobs += 1
  }

  /** Since the start of the process. */
  get received(): Received {
    return { blobs: this.#blobs, bytes: this.#bytes }
  }

  /** Bytes a second from all peers together, smoothed over about the last ten seconds. */
  get rate(): number {
    return this.#rate.perSecond
  }

  list(): readonly Transfer[] {
    return [...this.#moving].slice(0, LISTED_MAX).map(({ facts }) => facts)
  }
}
