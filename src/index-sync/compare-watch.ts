// Which peers are comparing their index with this one, by what they ask for: whoever begins at the
// same time from the other end moves once more all that is on its way.

import type { EntriesSource } from '../../protocols/entries/source.ts'
import type { Clock } from '../base/clock.ts'

/** A peer that has asked for nothing for so long is done, or gives up. */
const COMPARING_MS = 2000

export class CompareWatch {
  readonly #clock: Clock
  /** When peers last asked for a part of an exchange, by the monotonic clock. */
  readonly #askedMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  includes(peerId: string): boolean {
    const askedMs = this.#askedMs.get(peerId)
    return askedMs !== undefined && this.#clock.monotonicMs() - askedMs < COMPARING_MS
  }

  /** The peer has come or gone. */
  forget(peerId: string): void {
    this.#askedMs.delete(peerId)
  }

  /** What one peer is served from. */
  watched(source: EntriesSource, peerId: string): EntriesSource {
    const note = () => this.#askedMs.set(peerId, this.#clock.monotonicMs())
    return {
      beyond: (horizon) => {
        note()
        return source.beyond(horizon)
      },
      push: (entries, sentTo, from) => {
        if (sentTo.length === 0) note() // new entries name who gets them; these were found missing
        return source.push(entries, sentTo, from)
      },
      status: (horizon) => source.status(horizon),
      prove: (claim, from) => source.prove(claim, from),
      review: (verdict, from) => source.review(verdict, from),
      history: (path) => source.history(path)
    }
  }
}
