// Changes to protobuf messages by their fields, so that what comes of it is mostly a message still:
// fields change their number, kind, order and content, at any depth. And to streams of frames,
// where the length before a message is right again afterwards.

import { frameOf } from '../../protocols/frame.ts'
import type { Chance } from './chance.ts'
import { type Mutation, mutateBytes } from './mutate-bytes.ts'

interface Field {
  readonly number: number
  readonly wire: number
  /** Without the tag; of a length-delimited one without its length. */
  readonly content: Buffer
}

export function mutateMessage(input: Buffer, mutation: Mutation): Buffer {
  const { chance, bytesMax } = mutation
  if (chance.happens(0.15)) return mutateBytes(input, mutation)
  let fields = fieldsOf(input)
  if (fields === undefined) return mutateBytes(input, mutation)
  for (let left = 1 + chance.small(4); left > 0; left--) fields = changed(fields, mutation, 0)
  return bytesOf(fields).subarray(0, bytesMax)
}

/** Frames one after the other; what follows the last whole one stays as it is. */
export function mutateFrames(input: Buffer, mutation: Mutation): Buffer {
  const { chance, bytesMax } = mutation
  if (chance.happens(0.2)) return mutateBytes(input, mutation)
  const { frames, rest } = framesOf(input)
  if (frames.length === 0) return mutateBytes(input, mutation)
  const at = chance.below(frames.length)
  const frame = frames[at] as Buffer
  const others = framesOf(mutation.other).frames
  const made =
    chance.happens(0.1) && others.length > 0
      ? frames.toSpliced(at, 0, chance.pick(others))
      : chance.happens(0.1)
        ? frames.toSpliced(at, 1)
        : frames.toSpliced(at, 1, mutateMessage(frame, mutation))
  return Buffer.concat([...made.map(frameOf), rest]).subarray(0, bytesMax)
}

function framesOf(bytes: Buffer): { frames: Buffer[]; rest: Buffer } {
  const frames: Buffer[] = []
  let at = 0
  for (;;) {
    const length = varintAt(bytes, at)
    if (length === undefined) break
    const end = length.end + Number(length.value)
    if (end > bytes.length) break
    frames.push(bytes.subarray(length.end, end))
    at = end
  }
  return { frames, rest: bytes.subarray(at) }
}

function changed(fields: Field[], mutation: Mutation, depth: number): Field[] {
  const { chance } = mutation
  const at = chance.below(fields.length + 1)
  const field = fields[at]
  if (field === undefined) return [...fields, randomField(chance)]
  switch (chance.below(8)) {
    case 0:
      return fields.toSpliced(at, 1)
    case 1:
      return fields.toSpliced(at, 0, ...Array<Field>(1 + chance.small(300)).fill(field))
    case 2:
      return fields.toSpliced(at, 1, { ...field, number: 1 + chance.small(40) })
    case 3:
      return fields.toSpliced(at, 1).toSpliced(chance.below(fields.length), 0, field)
    case 4:
      return fields.toSpliced(at, 1, { ...field, wire: chance.below(8) })
    default:
      return fields.toSpliced(at, 1, { ...field, content: changedContent(field, mutation, depth) })
  }
}

function changedContent({ wire, content }: Field, mutation: Mutation, depth: number): Buffer {
  const { chance } = mutation
  if (wire === 0) return varint(oddNumber(chance))
  if (wire !== 2) return mutateBytes(content, mutation)
  const inner = depth < 4 && chance.happens(0.7) ? fieldsOf(content) : undefined
  if (inner !== undefined && inner.length > 0) return bytesOf(changed(inner, mutation, depth + 1))
  return mutateBytes(content, mutation)
}

function randomField(chance: Chance): Field {
  const wire = chance.pick([0, 1, 2, 2, 5])
  const number = 1 + chance.small(40)
  if (wire === 0) return { number, wire, content: varint(oddNumber(chance)) }
  const bytes = wire === 1 ? 8 : wire === 5 ? 4 : chance.small(300)
  return { number, wire, content: Buffer.alloc(bytes, chance.below(256)) }
}

function oddNumber(chance: Chance): bigint {
  const near = 1n << BigInt(chance.below(65))
  return BigInt.asUintN(64, near - BigInt(chance.below(2)))
}

function fieldsOf(bytes: Buffer): Field[] | undefined {
  const fields: Field[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = varintAt(bytes, at)
    if (tag === undefined) return undefined
    const wire = Number(tag.value & 7n)
    const number = Number(tag.value >> 3n)
    at = tag.end
    const value = varintAt(bytes, at)
    if (wire === 0 || wire === 2) {
      if (value === undefined) return undefined
      const end = wire === 0 ? value.end : value.end + Number(value.value)
      if (end > bytes.length) return undefined
      fields.push({ number, wire, content: bytes.subarray(wire === 0 ? at : value.end, end) })
      at = end
    } else if (wire === 1 || wire === 5) {
      const end = at + (wire === 1 ? 8 : 4)
      if (end > bytes.length) return undefined
      fields.push({ number, wire, content: bytes.subarray(at, end) })
      at = end
    } else return undefined
  }
  return fields
}

function bytesOf(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, wire, content }) => [
      varint(BigInt(number * 8 + wire)),
      ...(wire === 2 ? [varint(BigInt(content.length))] : []),
      content
    ])
  )
}

function varint(value: bigint): Buffer {
  const digits: number[] = []
  let left = value
  for (; left > 0x7fn; left >>= 7n) digits.push(Number(left & 0x7fn) | 0x80)
  digits.push(Number(left))
  return Buffer.from(digits)
}

function varintAt(bytes: Buffer, from: number): { value: bigint; end: number } | undefined {
  let value = 0n
  for (let at = from; at < Math.min(bytes.length, from + 10); at++) {
    const byte = bytes[at] as number
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - from))
    if (byte < 0x80) return { value, end: at + 1 }
  }
  return undefined
}
