// What is known of blobs that could not be had: how often they were tried, why not, and when next.
// Of very many only that they were tried, why not, and when all of those are tried again.

import type { ContentHash } from '../../protocols/hash.ts'
import type { Clock, Random } from '../base/clock.ts'
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
  readonly #notes = new Map<ContentHash, WantNote>()
  /** Those whose notes have made room for others. */
  readonly #tried: TriedSet

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
    const before = this.lacking(hash)
    if (peerIds.every((id) => id === peerId || before.has(id))) {
      this.nobodyHas(hash)
      return
    }
    const note = this.#notes.get(hash)
    const lacking = new Set([...(note?.lacking ?? []), peerId])
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
    if (!this.isDue(hash)) this.done(hash)
  }

  /** Everything is due now: a peer has come, or a person asks for it. */
  retryAll(): void {
    this.#tried.clear()
    for (const [hash, note] of this.#notes) {
      this.#notes.set(hash, { ...note, nextTryMs: 0, lacking: NO_ONE })
    }
  }

  /** Blobs that nobody could give in any of the quick tries; some may be wanted no more. */
  *failures(): Generator<ContentHash> {
    for (const [hash, { attempts }] of this.#notes) {
      if (attempts > this.#policy.maxRetryAttempts) yield hash
    }
  }

  /** Drops notes of what is due and wanted no more, up to one that is wanted. */
  sweep(isWanted: (hash: ContentHash) => boolean): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [hash, { nextTryMs }] of this.#notes) {
      if (nextTryMs > nowMs) continue
      if (isWanted(hash)) return
      this.#notes.delete(hash)
    }
  }

  /** Milliseconds until the next blob is due; undefined if none waits. */
  nextDueMs(): number | undefined {
    let next = this.#tried.endMs
    for (const { nextTryMs } of this.#notes.values()) {
      if (next === undefined || nextTryMs < next) next = nextTryMs
    }
    return next === undefined ? undefined : Math.max(0, next - this.#clock.monotonicMs())
  }

  #put(hash: ContentHash, note: WantNote): void {
    this.#notes.set(hash, note)
    const [oldest] = this.#notes
    if (this.#notes.size <= this.#notesMax || oldest === undefined) return
    const [other, why] = oldest
    // what some lack is due for others, but would be asked of the same again
    if (!this.isDue(other) || why.lacking.size > 0) this.#tried.add(other, why)
    this.#notes.delete(other)
  }
}
