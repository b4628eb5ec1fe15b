// What is known of blobs that could not be had: how often they were tried, why not, and when next.
// Of very many only that they were tried, why not, and when all of those are tried again.

import type { ContentHash } from '../../protocols/hash.ts'
import type { Clock, Random } from '../base/clock.ts'
import { DueQueue } from '../base/due-queue.ts'
import { LONG_WAIT_MS, planRetryMs, type RetryPolicy } from './plan-wants.ts'
import { TriedSet } from './tried-set.ts'

export interface WantNote {
  readonly attempts: number
  /** nobody: those that were asked lack it. failed: it broke off, or could not be kept. */
  readonly cause: 'nobody' | 'failed'
  readonly reason: string
  /** By the monotonic clock: one that is set back must not put tries off. */
  readonly nextTryMs: number
  /** Peers that said they lack it, since the last time that all were asked. */
  readonly lacking: ReadonlySet<string>
}

interface Kept extends WantNote {
  /** When it is told of as due. */
  tellMs: number
}

/** What is due and can't be asked for yet is told of again after so long. */
const AGAIN_MS = 1000
/** Places in the queue that may be out of date, besides as many as there are notes. */
const STALE_MAX = 1000
/** Of more than these the oldest have no note of their own. */
const NOTES_MAX = 100_000
/** Ten million of them that are tried 500 a second are through by then. */
const ROUND_MS_MAX = 6 * 3_600_000
const NOBODY = 'no server that is connected has it'
const NO_ONE: ReadonlySet<string> = new Set()

export class WantBook {
  readonly #clock: Clock
  readonly #random: Random
  readonly #policy: RetryPolicy
  readonly #notesMax: number
  /** The oldest first. */
  readonly #notes = new Map<ContentHash, Kept>()
  /** A place counts where its note is to be told of then. */
  readonly #queue = new DueQueue<ContentHash>()
  /** Those whose notes have made room for others. */
  readonly #tried: TriedSet
  #isInRound = false

  constructor(
    { clock, random }: { clock: Clock; random: Random },
    policy: RetryPolicy,
    { notesMax = NOTES_MAX } = {}
  ) {
    this.#clock = clock
    this.#random = random
    this.#policy = policy
    this.#notesMax = notesMax
    const round = { quietMs: LONG_WAIT_MS, roundMsMax: ROUND_MS_MAX }
    this.#tried = new TriedSet({ clock, random }, round)
  }

  note(hash: ContentHash): WantNote | undefined {
    const note = this.#notes.get(hash)
    const nextTryMs = this.#tried.endMs
    const why = note === undefined ? this.#tried.why(hash) : undefined
    if (why === undefined || nextTryMs === undefined) return note
    return { ...why, attempts: 1, nextTryMs, lacking: NO_ONE }
  }

  isDue(hash: ContentHash): boolean {
    const note = this.#notes.get(hash)
    if (note === undefined) return !this.#tried.has(hash)
    return note.nextTryMs <= this.#clock.monotonicMs()
  }

  lacking(hash: ContentHash): ReadonlySet<string> {
    return this.#notes.get(hash)?.lacking ?? NO_ONE
  }

  /**
   * A peer said that it lacks the blob: others of these are asked at once, and where there are none
   * it is tried again later.
   */
  lacks(hash: ContentHash, peerId: string, peerIds: readonly string[]): void {
    const note = this.#notes.get(hash)
    const lacking = new Set([...(note?.lacking ?? []), peerId])
    // whose note went while it was asked for would be asked of the same in turn
    const wasTried = note === undefined && this.#tried.has(hash)
    if (wasTried || peerIds.every((id) => lacking.has(id))) {
      this.nobodyHas(hash)
      return
    }
    this.#put(hash, {
      attempts: note?.attempts ?? 0,
      cause: 'nobody',
      reason: 'the servers that were asked do not have it yet',
      nextTryMs: 0,
      lacking
    })
  }

  /** Nobody could give it: tried again later, with everybody. */
  failed(hash: ContentHash, reason: string, cause: WantNote['cause'] = 'failed'): void {
    const attempts = (this.#notes.get(hash)?.attempts ?? 0) + 1
    const waitMs = planRetryMs(attempts, this.#policy, this.#random.fraction())
    this.#put(hash, {
      attempts,
      cause,
      reason,
      nextTryMs: this.#clock.monotonicMs() + waitMs,
      lacking: NO_ONE
    })
  }

  /** Nobody who is connected has it. */
  nobodyHas(hash: ContentHash): void {
    this.failed(hash, NOBODY, 'nobody')
  }

  done(hash: ContentHash): void {
    this.#notes.delete(hash)
    this.#tried.delete(hash)
  }

  /**
   * An image with it has just come to be, and whoever wrote it has it: what was tried in vain
   * before, with it or with one that it is taken for, says nothing any more.
   */
  isNew(hash: ContentHash): void {
    this.done(hash)
  }

  /** Everything is due now, with everybody: a person asks for it. */
  retryAll(): void {
    this.#retry(() => NO_ONE)
  }

  /** One of these peers has come: it is asked for everything, but none again that lacks it. */
  peerCame(peerId: string, peers: readonly { readonly id: string }[]): void {
    const rest = new Set(peers.map(({ id }) => id))
    rest.delete(peerId)
    this.#retry(({ cause, nextTryMs, lacking }) => {
      if (cause === 'failed') return NO_ONE
      // all were asked; who has come since has not been, where it is due
      if (nextTryMs > 0) return rest
      return lacking.has(peerId) ? new Set([...lacking].filter((id) => id !== peerId)) : lacking
    })
  }

  #retry(lackingOf: (note: WantNote) => ReadonlySet<string>): void {
    this.#tried.clear()
    for (const [hash, note] of this.#notes) {
      this.#notes.set(hash, { ...note, nextTryMs: 0, tellMs: 0, lacking: lackingOf(note) })
    }
    this.#sort()
  }

  /** Whether it was tried: then `takeDue` tells of it, or a round of very many ends. */
  isKnown(hash: ContentHash): boolean {
    return this.#notes.has(hash) || this.#tried.has(hash)
  }

  /** Blobs that were tried and are due, at most so many; what stays due is told of again. */
  takeDue(max: number): readonly ContentHash[] {
    const nowMs = this.#clock.monotonicMs()
    const due: ContentHash[] = []
    for (let next = this.#first(); due.length < max; next = this.#first()) {
      if (next === undefined || next.note.tellMs > nowMs) break
      this.#queue.take()
      this.#tellAt(next.hash, next.note, nowMs + AGAIN_MS)
      due.push(next.hash)
    }
    return due
  }

  /** Whether a round of very many has ended since this was asked: all of them are due. */
  hasRoundEnded(): boolean {
    if (!this.#isInRound || this.#tried.endMs !== undefined) return false
    this.#isInRound = false
    return true
  }

  /** Blobs that nobody could give in any of the quick tries; some may be wanted no more. */
  *failures(): Generator<ContentHash> {
    for (const [hash, { attempts }] of this.#notes) {
      if (attempts > this.#policy.maxRetryAttempts) yield hash
    }
  }

  /** Milliseconds until a blob is due, or told of again; undefined if none waits. */
  nextDueMs(): number | undefined {
    const ends = [this.#tried.endMs, this.#first()?.note.tellMs].filter((ms) => ms !== undefined)
    if (ends.length === 0) return undefined
    return Math.max(0, Math.min(...ends) - this.#clock.monotonicMs())
  }

  #put(hash: ContentHash, note: WantNote): void {
    const kept = { ...note, tellMs: 0 }
    this.#notes.set(hash, kept)
    this.#tellAt(hash, kept, note.nextTryMs)
    if (this.#queue.size > 2 * this.#notes.size + STALE_MAX) this.#sort()
    const [oldest] = this.#notes
    if (this.#notes.size <= this.#notesMax || oldest === undefined) return
    const [other, why] = oldest
    // also where it is due: it would be asked of the same again
    this.#tried.add(other, why)
    this.#isInRound = true
    this.#notes.delete(other)
  }

  #tellAt(hash: ContentHash, note: Kept, atMs: number): void {
    note.tellMs = atMs
    this.#queue.put({ item: hash, atMs })
  }

  /** What is told of next; what is not, or not then, leaves the queue. */
  #first(): { readonly hash: ContentHash; readonly note: Kept } | undefined {
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      const note = this.#notes.get(first.item)
      if (note?.tellMs === first.atMs) return { hash: first.item, note }
      this.#queue.take()
    }
    return undefined
  }

  #sort(): void {
    this.#queue.clear()
    for (const [item, { tellMs }] of this.#notes) this.#queue.put({ item, atMs: tellMs })
  }
}
