// How often keys came lately, in little room: what is asked for once does not push out what is
// asked for all the time. Counts of a count-min sketch that are halved as they grow old (Einziger,
// Friedman, Manes: TinyLFU, a highly efficient cache admission policy, 2017).

const ROWS = 4
const COUNT_MAX = 15
/** Counts are halved after so many keys for each counter of a row. */
const SAMPLE_FACTOR = 8

export class Frequencies {
  readonly #counts: Uint8Array
  readonly #mask: number
  readonly #sampleMax: number
  #sample = 0

  /** `size`: about how many keys are to be told apart; a power of two. */
  constructor(size: number) {
    this.#counts = new Uint8Array(ROWS * size)
    this.#mask = size - 1
    this.#sampleMax = SAMPLE_FACTOR * size
  }

  /** Counts the key, and tells how often it came, this time included. */
  add(key: string): number {
    const hash = hashOf(key)
    let least = COUNT_MAX
    for (let row = 0; row < ROWS; row++) {
      const at = this.#at(hash, row)
      const count = Math.min((this.#counts[at] as number) + 1, COUNT_MAX)
      this.#counts[at] = count
      least = Math.min(least, count)
    }
    if (++this.#sample >= this.#sampleMax) this.#age()
    return least
  }

  /** How often the key came lately: never too few, at most 15. */
  of(key: string): number {
    const hash = hashOf(key)
    let least = COUNT_MAX
    for (let row = 0; row < ROWS; row++) {
      least = Math.min(least, this.#counts[this.#at(hash, row)] as number)
    }
    return least
  }

  #at(hash: number, row: number): number {
    const mixed = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b + 2 * row)
    return row * (this.#mask + 1) + ((mixed ^ (mixed >>> 13)) & this.#mask)
  }

  #age(): void {
    this.#sample = this.#sampleMax / 2
    for (let at = 0; at < this.#counts.length; at++) {
      this.#counts[at] = (this.#counts[at] as number) >> 1
    }
  }
}

/** FNV-1a. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
