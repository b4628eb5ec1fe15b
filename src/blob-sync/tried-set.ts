// Which of very many blobs were tried in vain, and why, in memory that does not grow: a byte for
// each. Some are taken for others by mistake, and wait a round longer; it is never the same ones
// again.

import type { ContentHash } from '../../protocols/hash.ts'
import type { Clock, Random } from '../base/clock.ts'

const BYTES = 2 ** 24
/** Hex digits of a hash that lead to its byte, and places from which they may be taken. */
const DIGITS = 6
const PLACES = 10
/** Reasons that a byte can tell apart; all others are the last one. */
const REASONS_MAX = 254
const OTHER = REASONS_MAX + 1
const REASON_CHARACTERS_MAX = 500

export interface TriedSetOptions {
  /** A round ends when nothing new was tried for so long. */
  readonly quietMs: number
  /** And after so long anyway. */
  readonly roundMsMax: number
}

export interface TriedWhy {
  readonly cause: 'nobody' | 'failed'
  readonly reason: string
}

const UNTOLD: TriedWhy = {
  cause: 'failed',
  reason: 'it could not be had; too many are lacking to remember why'
}

export class TriedSet {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #random: Pick<Random, 'fraction'>
  readonly #options: TriedSetOptions
  /** Of each blob the number of its reason; 0: it was not tried. */
  #numbers: Uint8Array | undefined
  readonly #reasons: TriedWhy[] = []
  /** Reasons to their numbers. */
  readonly #known = new Map<string, number>()
  #place = 0
  #endMs = 0
  /** At the latest. */
  #lastMs = 0

  constructor(
    { clock, random }: { clock: Pick<Clock, 'monotonicMs'>; random: Pick<Random, 'fraction'> },
    options: TriedSetOptions
  ) {
    this.#clock = clock
    this.#random = random
    this.#options = options
  }

  /** When the round ends, by the monotonic clock; undefined if nothing is in it. */
  get endMs(): number | undefined {
    if (this.#numbers !== undefined && this.#clock.monotonicMs() >= this.#endMs) this.clear()
    return this.#numbers && this.#endMs
  }

  has(hash: ContentHash): boolean {
    return this.endMs !== undefined && this.#numberOf(hash) !== 0
  }

  /** Undefined if it was not tried. */
  why(hash: ContentHash): TriedWhy | undefined {
    const number = this.endMs === undefined ? 0 : this.#numberOf(hash)
    return number === 0 ? undefined : (this.#reasons[number - 1] ?? UNTOLD)
  }

  add(hash: ContentHash, why: TriedWhy): void {
    const { quietMs, roundMsMax } = this.#options
    const nowMs = this.#clock.monotonicMs()
    if (this.endMs === undefined || this.#numbers === undefined) {
      this.#numbers = new Uint8Array(BYTES)
      this.#place = (this.#place + 1) % PLACES
      this.#lastMs = nowMs + roundMsMax
    }
    this.#numbers[this.#placeOf(hash)] = this.#numberFor(why)
    const quietEndMs = nowMs + quietMs * (1 + this.#random.fraction() / 4)
    this.#endMs = Math.min(Math.max(this.#endMs, quietEndMs), this.#lastMs)
  }

  delete(hash: ContentHash): void {
    if (this.#numbers !== undefined) this.#numbers[this.#placeOf(hash)] = 0
  }

  /** The round is over. */
  clear(): void {
    this.#numbers = undefined
    this.#reasons.length = 0
    this.#known.clear()
    this.#endMs = 0
  }

  #numberFor({ cause, reason }: TriedWhy): number {
    const common = withoutDetails(reason)
    const key = `${cause} ${common}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#reasons.length === REASONS_MAX) return OTHER
    const number = this.#reasons.push({ cause, reason: common })
    this.#known.set(key, number)
    return number
  }

  #numberOf(hash: ContentHash): number {
    return this.#numbers?.[this.#placeOf(hash)] ?? 0
  }

  #placeOf(hash: ContentHash): number {
    const at = this.#place * DIGITS
    return Number.parseInt(hash.slice(at, at + DIGITS), 16)
  }
}

/** The same for all blobs with which the same is wrong: hashes and byte counts are of one alone. */
function withoutDetails(reason: string): string {
  return reason.slice(0, REASON_CHARACTERS_MAX).replace(/[0-9a-f]{64}|\d{4,}/g, '…')
}
