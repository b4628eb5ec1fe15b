// Changes to bytes of which nothing is known but what often matters in formats: numbers at their
// ends, lengths, magic words, pieces that stand twice or not at all.

import type { Chance } from './chance.ts'

const EDGES = [0, 1, 2, 4, 7, 8, 16, 32, 63, 64, 127, 128, 255, 256, 1023, 1024, 4095, 4096, 32767]
const LARGE = [
  32768,
  65535,
  65536,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  -1,
  -2,
  -128,
  -32768
]
const NUMBERS = [...EDGES, ...LARGE]

export interface Mutation {
  readonly chance: Chance
  /** Another sample, to take pieces of. */
  readonly other: Buffer
  readonly words: readonly string[]
  readonly bytesMax: number
}

/** One to eight changes, mostly few. */
export function mutateBytes(input: Buffer, mutation: Mutation): Buffer {
  let bytes: Buffer = Buffer.from(input)
  for (let left = 1 + mutation.chance.small(7); left > 0; left--) {
    bytes = change(bytes, mutation)
    if (bytes.length > mutation.bytesMax) bytes = bytes.subarray(0, mutation.bytesMax)
  }
  return bytes
}

function change(bytes: Buffer, { chance, other, words, bytesMax }: Mutation): Buffer {
  const at = chance.below(bytes.length + 1)
  const length = 1 + chance.small(Math.max(1, bytes.length - at))
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (chance.below(11)) {
    case 0:
      return put(bytes, at, chance.below(256))
    case 1:
      return put(bytes, at, (bytes[at] ?? 0) ^ (1 << chance.below(8)))
    case 2:
      return writeNumber(bytes, at, chance)
    case 3:
      return Buffer.concat([head, tail.subarray(length)])
    case 4:
      return Buffer.concat([head, tail.subarray(0, length), tail])
    case 5:
      return Buffer.concat([head, Buffer.alloc(length, chance.below(256)), tail])
    case 6: {
      const from = chance.below(other.length + 1)
      return Buffer.concat([head, other.subarray(from, from + length), tail])
    }
    case 7:
      return Buffer.concat([head, other.subarray(chance.below(other.length + 1))])
    case 8:
      return head
    case 9:
      return Buffer.concat([head, Buffer.from(words.length > 0 ? chance.pick(words) : ''), tail])
    default: {
      const piece = tail.subarray(0, Math.min(length, 64))
      const times = 1 + chance.small(Math.floor(bytesMax / Math.max(1, piece.length)))
      return Buffer.concat([head, ...Array<Buffer>(times).fill(piece), tail])
    }
  }
}

function put(bytes: Buffer, at: number, value: number): Buffer {
  if (at < bytes.length) bytes[at] = value
  return bytes
}

function writeNumber(bytes: Buffer, at: number, chance: Chance): Buffer {
  const width = chance.pick([1, 2, 4, 8])
  if (at + width > bytes.length) return bytes
  const value = BigInt.asUintN(64, BigInt(chance.pick(NUMBERS)))
  const isLittle = chance.happens(0.5)
  for (let digit = 0; digit < width; digit++) {
    bytes[at + (isLittle ? digit : width - 1 - digit)] = Number(
      (value >> BigInt(8 * digit)) & 0xffn
    )
  }
  return bytes
}
