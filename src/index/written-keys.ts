// Keys that a table surely does not have: a table that was empty when the database was opened holds
// what this process has written to it since, and nothing else.
//
// A node that is new asks of each entry whether it is here already, and most of the time it is not.
// The database needs more time for that answer than for all else that is decided about the entry.
//
// A Bloom filter, in pieces that grow as keys come: ten bits a key, and a few in a hundred are
// taken for such as may be there, which only costs a read.

/** Keys of the first piece, and how much larger each is than the one before. */
const FIRST_KEYS = 2 ** 13
const GROWTH = 4
/** Bits of a piece for each of its keys. */
const KEY_BITS = 10
/** Bits that one key sets. */
const PROBES = 4
/** Keys of the last piece: 2.5 MB. A table that has more is read whatever it may have. */
const KEYS_MAX = 2 ** 21

interface Piece {
  readonly bits: Int32Array
  readonly keysMax: number
  keys: number
}

export class WrittenKeys {
  #pieces: Piece[] | undefined = []

  /** False only if it was never added. */
  mayHave(key: string): boolean {
    if (this.#pieces === undefined) return true
    if (this.#pieces.length === 0) return false
    const [first, step] = hashesOf(key)
    for (const { bits } of this.#pieces) if (hasAll(bits, first, step)) return true
    return false
  }

  add(key: string): void {
    if (this.#pieces === undefined) return
    const piece = this.#room()
    if (piece === undefined) return
    const [first, step] = hashesOf(key)
    for (let probe = 0; probe < PROBES; probe++) {
      const at = bitAt(piece.bits, first, step, probe)
      piece.bits[at >>> 5] = (piece.bits[at >>> 5] as number) | (1 << (at & 31))
    }
    piece.keys++
  }

  /** The piece that takes the next key; undefined, and nothing is known any more, if none does. */
  #room(): Piece | undefined {
    const last = this.#pieces?.at(-1)
    if (last !== undefined && last.keys < last.keysMax) return last
    const keysMax = last === undefined ? FIRST_KEYS : last.keysMax * GROWTH
    if (keysMax > KEYS_MAX) {
      this.#pieces = undefined
      return undefined
    }
    const piece = { bits: new Int32Array(Math.ceil((keysMax * KEY_BITS) / 32)), keysMax, keys: 0 }
    this.#pieces?.push(piece)
    return piece
  }
}

function hasAll(bits: Int32Array, first: number, step: number): boolean {
  for (let probe = 0; probe < PROBES; probe++) {
    const at = bitAt(bits, first, step, probe)
    if (((bits[at >>> 5] as number) & (1 << (at & 31))) === 0) return false
  }
  return true
}

function bitAt(bits: Int32Array, first: number, step: number, probe: number): number {
  return ((first + Math.imul(step, probe)) >>> 0) % (bits.length * 32)
}

/** Two numbers of 32 bits (FNV-1a, with two multipliers), of which all probes follow. */
function hashesOf(key: string): [number, number] {
  let first = 0x811c9dc5
  let step = 0x9e3779b9
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at)
    first = Math.imul(first ^ code, 0x01000193)
    step = Math.imul(step ^ code, 0x85ebca6b)
  }
  return [first ^ (first >>> 15), step | 1]
}
