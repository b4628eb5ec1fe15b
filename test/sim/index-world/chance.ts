// Chance that begins anew with each step of a history: what is left out of it changes nothing that
// comes later.

import type { Random } from '../../../src/base/clock.ts'

export class Chance implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  begin(seed: number): void {
    this.#state = seed | 0
  }

  /** By mulberry32. */
  fraction = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number below `n`. */
  below(n: number): number {
    return Math.floor(this.fraction() * n)
  }

  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256))
  }
}
