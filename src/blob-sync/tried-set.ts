// Which of very many blobs were tried in vain, in memory that does not grow: a bit for each. Some
// are taken for others by mistake, and wait a round longer; it is never the same ones again.

import type { ContentHash } from '../../protocols/hash.ts'
import type { Clock, Random } from '../base/clock.ts'

const BITS = 2 ** 24
/** Hex digits of a hash that lead to its bit, and places from which they may be taken. */
const DIGITS = 6
const PLACES = 10

export interface TriedSetOptions {
  /** A round ends when nothing new was tried for so long. */
  readonly quietMs: number
  /** And after so long anyway. */
  readonly roundMsMax: number
}

export class TriedSet {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #random: Pick<Random, 'fraction'>
  readonly #options: TriedSetOptions
  #bits: Uint32Array | undefined
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
    if (this.#bits !== undefined && this.#clock.monotonicMs() >= this.#endMs) this.clear()
    return this.#bits && this.#endMs
  }

  has(hash: ContentHash): boolean {
    if (this.endMs === undefined || this.#bits === undefined) return false
    const bit = this.#bitOf(hash)
    return (((this.#bits[bit >> 5] as number) >>> (bit & 31)) & 1) === 1
  }

  add(hash: ContentHash): void {
    const { quietMs, roundMsMax } = this.#options
    const nowMs = this.#clock.monotonicMs()
    if (this.endMs === undefined || this.#bits === undefined) {
      this.#bits = new Uint32Array(BITS / 32)
      this.#place = (this.#place + 1) % PLACES
      this.#lastMs = nowMs + roundMsMax
    }
    const bit = this.#bitOf(hash)
    const word = bit >> 5
    this.#bits[word] = (this.#bits[word] as number) | (1 << (bit & 31))
    const quietEndMs = nowMs + quietMs * (1 + this.#random.fraction() / 4)
    this.#endMs = Math.min(Math.max(this.#endMs, quietEndMs), this.#lastMs)
  }

  delete(hash: ContentHash): void {
    if (this.#bits === undefined) return
    const bit = this.#bitOf(hash)
    const word = bit >> 5
    this.#bits[word] = (this.#bits[word] as number) & ~(1 << (bit & 31))
  }

  /** The round is over. */
  clear(): void {
    this.#bits = undefined
    this.#endMs = 0
  }

  #bitOf(hash: ContentHash): number {
    const at = this.#place * DIGITS
    return Number.parseInt(hash.slice(at, at + DIGITS), 16)
  }
}
