// What happens on this node while it happens, for whoever watches: numbered, bounded, and never in
// the way of what it tells of. Watchers hold a place in one short list; who is too slow misses some
// and is told so.

import type { Clock } from '../base/clock.ts'

export const FEED_KINDS = [
  'entry',
  'deleted',
  'received',
  'repaired',
  'damaged',
  'peer',
  'progress'
] as const
export type FeedKind = (typeof FEED_KINDS)[number]

export type FeedFacts = Readonly<Record<string, string | number | null>>

export interface FeedEvent {
  /** From 1 on, without gaps. */
  readonly number: number
  readonly atMs: number
  readonly kind: FeedKind
  readonly facts: FeedFacts
}

export type Watched =
  | { readonly do: 'events'; readonly events: readonly FeedEvent[] }
  /** So many went by unseen. */
  | { readonly do: 'missed'; readonly count: number }
  /** Nothing has happened for a while. */
  | { readonly do: 'quiet' }

/** Ten seconds of a burst; what a page needs when it comes back. */
export const FEED_EVENTS_MAX = 1000
/** Of one kind in a second one by one; the others of that second as one event that counts them. */
export const FEED_KIND_SECOND_MAX = 100
const SECOND_MS = 1000
/** Proxies close a connection on which nothing comes for a minute, some after half of that. */
export const FEED_QUIET_MS = 15_000

interface Second {
  readonly startMs: number
  told: number
  more: number
}

export class Feed {
  readonly #clock: Clock
  readonly #events: FeedEvent[] = []
  readonly #seconds = new Map<FeedKind, Second>()
  readonly #waiting = new Set<() => void>()
  #last = 0
  #watchers = 0
  #ended = false
  #cancelCount: (() => void) | undefined

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock
  }

  /** The number of the latest event. */
  get last(): number {
    return this.#last
  }

  /** How many watch now. */
  get watchers(): number {
    return this.#watchers
  }

  tell(kind: FeedKind, facts: FeedFacts): void {
    const second = this.#secondOf(kind)
    if (second.told >= FEED_KIND_SECOND_MAX) {
      second.more++
      return
    }
    second.told++
    this.#add(kind, facts)
  }

  /**
   * What comes after the event of this number, as it comes, until the signal is aborted or the feed
   * ends.
   */
  async *watch(after: number, signal: AbortSignal): AsyncGenerator<Watched> {
    let seen = Math.min(after, this.#last)
    this.#watchers++
    try {
      while (!this.#ended && !signal.aborted) {
        const oldest = this.#last - this.#events.length
        if (seen < oldest) {
          yield { do: 'missed', count: oldest - seen }
          seen = oldest
        } else if (seen < this.#last) {
          const events = this.#events.slice(seen - this.#last)
          seen = this.#last
          yield { do: 'events', events }
        } else if (!(await this.#next(signal))) yield { do: 'quiet' }
      }
    } finally {
      this.#watchers--
    }
  }

  /** Nobody watches any more, and nobody can. */
  end(): void {
    this.#ended = true
    this.#cancelCount?.()
    for (const wake of this.#waiting) wake()
  }

  #secondOf(kind: FeedKind): Second {
    const nowMs = this.#clock.monotonicMs()
    const second = this.#seconds.get(kind)
    if (second !== undefined && nowMs - second.startMs < SECOND_MS) return second
    if (second !== undefined && second.more > 0) this.#count()
    const fresh = { startMs: nowMs, told: 0, more: 0 }
    this.#seconds.set(kind, fresh)
    this.#cancelCount ??= this.#clock.after(SECOND_MS, () => this.#count())
    return fresh
  }

  /** Tells how many were left out. */
  #count(): void {
    this.#cancelCount?.()
    this.#cancelCount = undefined
    for (const [kind, { more }] of this.#seconds) if (more > 0) this.#add(kind, { more })
    this.#seconds.clear()
  }

  #add(kind: FeedKind, facts: FeedFacts): void {
    this.#events.push({ number: ++this.#last, atMs: this.#clock.now(), kind, facts })
    // twice as many for a moment, so that they are not moved with each event
    if (this.#events.length >= 2 * FEED_EVENTS_MAX) this.#events.splice(0, FEED_EVENTS_MAX)
    for (const wake of this.#waiting) wake()
  }

  /** Whether something has happened, or the watcher need not wait; false after a quiet time. */
  #next(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (happened: boolean) => {
        cancel()
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve(happened)
      }
      const wake = () => end(true)
      const cancel = this.#clock.after(FEED_QUIET_MS, () => end(false))
      signal.addEventListener('abort', wake, { once: true })
      this.#waiting.add(wake)
    })
  }
}
