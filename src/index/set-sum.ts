// Whether two large sets are the same, without holding either: each member is hashed, and the
// hashes are added up. It tells sets that damage has made different, not those that somebody has
// chosen to look alike: two differences would have to cancel each other in 64 bits.

export class SetSum {
  #count = 0
  #low = 0
  #high = 0

  /** A text, and what follows it, are one member. */
  add(text: string, more: string | Uint8Array = ''): void {
    let low = LOW
    let high = HIGH
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      low = Math.imul(low ^ unit, LOW_BY)
      high = Math.imul(high ^ unit, HIGH_BY)
    }
    const isText = typeof more === 'string'
    for (let at = 0; at < more.length; at++) {
      const unit = isText ? more.charCodeAt(at) : (more[at] as number)
      low = Math.imul(low ^ unit, LOW_BY)
      high = Math.imul(high ^ unit, HIGH_BY)
    }
    this.#mix(low, high)
  }

  isSame(other: SetSum): boolean {
    return this.#count === other.#count && this.#low === other.#low && this.#high === other.#high
  }

  /** Every bit of one half on every bit of the other, as in MurmurHash 3. */
  #mix(low: number, high: number): void {
    const mixedLow = Math.imul(low ^ (low >>> 16), MIX_A) ^ Math.imul(high ^ (high >>> 13), MIX_B)
    const mixedHigh =
      Math.imul(high ^ (high >>> 16), MIX_A) ^ Math.imul(mixedLow ^ (mixedLow >>> 13), MIX_B)
    this.#count++
    this.#low = (this.#low + mixedLow) | 0
    this.#high = (this.#high + mixedHigh) | 0
  }
}

const LOW = 0x9e3779b9 | 0
const HIGH = 0x41c6ce57
/** Odd, and far from each other. */
const LOW_BY = 0x9e3779b1
const HIGH_BY = 0x5f356495
const MIX_A = 0x85ebca6b
const MIX_B = 0xc2b2ae35
