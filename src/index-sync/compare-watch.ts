// Which peers are comparing their index with this one, by what they ask for: whoever begins at the
// same time from the other end moves once more all that is on its way. And what they compare:
// beyond a horizon they are not shown what was deleted.

import type { EntriesSource } from '../../protocols/entries/source.ts'
import type { Clock } from '../base/clock.ts'

/** A peer that has asked for nothing for so long is done, or gives up. */
const COMPARING_MS = 2000

export class CompareWatch {
  readonly #clock: Clock
  /** When peers last asked for a part of an exchange, by the monotonic clock, and beyond what. */
  readonly #asked = new Map<string, { readonly atMs: number; readonly horizon: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  includes(peerId: string): boolean {
    const asked = this.#asked.get(peerId)
    return asked !== undefined && this.#clock.monotonicMs() - asked.atMs < COMPARING_MS
  }

  /** Deletions in buckets below it are not shown to the peer. */
  horizonOf(peerId: string): number {
    return this.#asked.get(peerId)?.horizon ?? 0
  }

  /** The peer has come or gone. */
  forget(peerId: string): void {
    this.#asked.delete(peerId)
  }

  /** What one peer is served from over one stream. */
  watched(source: EntriesSource, peerId: string): EntriesSource {
    // what is fetched by name is asked for beyond nothing, in the middle of an exchange
    let beyond = 0
    const note = (horizon = 0) => {
      beyond = Math.max(beyond, horizon)
      this.#asked.set(peerId, { atMs: this.#clock.monotonicMs(), horizon: beyond })
    }
    return {
      beyond: (horizon) => {
        note(horizon)
        return source.beyond(horizon)
      },
      push: (entries, sentTo, from) => {
        // new entries name who gets them; these were found missing
        if (sentTo.length === 0) note()
        return source.push(entries, sentTo, from)
      },
      status: (horizon) => {
        beyond = Math.max(beyond, horizon)
        return source.status(horizon)
      },
      prove: (claim, from) => source.prove(claim, from),
      review: (verdict, from) => source.review(verdict, from),
      history: (path) => source.history(path)
    }
  }
}
