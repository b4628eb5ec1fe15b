// Reads the fields of an entry as nearly every author writes them: each once, those that this
// program knows, texts in ASCII. All else is left to the general reader, which takes four times as
// long: a whole index of another node passes through here.

import type { Entry as Message } from './entries/messages_pb.ts'

export type EntryMessage = Omit<Message, '$typeName' | '$unknown'>

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
/** Of the seventh digit of 7 bits: with more of them a number would not fit without loss. */
const WEIGHT_MAX = 128 ** 6
const UINT32_MAX = 2 ** 32 - 1
const ASCII_MAX = 0x7f
const NOTHING = new Uint8Array(0)
/** Of the fields by their numbers in messages.proto. */
const WIRE_TYPES = [
  undefined,
  ...[VARINT, BYTES, VARINT, BYTES, FIXED64, BYTES, FIXED64, BYTES, VARINT],
  ...[BYTES, VARINT, VARINT, BYTES, VARINT, BYTES]
] as const

/** Undefined: it is for the general reader to say what these bytes are. */
export function readEntryFields(raw: Uint8Array): EntryMessage | undefined {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
  const message = emptyMessage()
  let last = 0
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at++] as number
    const number = tag >>> 3
    // one byte has 15 fields; in another order one may be there twice
    if (tag > 0x7f || number <= last || (tag & 7) !== WIRE_TYPES[number]) return undefined
    last = number
    if ((tag & 7) === FIXED64) {
      if (at + 8 > bytes.length) return undefined
      const value = bytes.readBigUInt64LE(at)
      if (number === 5) message.version = value
      else message.replaces = value
      at += 8
      continue
    }
    let value = 0
    for (let weight = 1, more = true; more; weight *= 128) {
      const byte = bytes[at++]
      if (byte === undefined || weight > WEIGHT_MAX) return undefined
      value += (byte & 0x7f) * weight
      more = byte > 0x7f
    }
    if ((tag & 7) === BYTES) {
      if (at + value > bytes.length) return undefined
      if (!takeBytes(message, number, bytes, [at, at + value])) return undefined
      at += value
    } else if (!takeNumber(message, number, value)) return undefined
  }
  return message
}

function emptyMessage(): EntryMessage {
  return {
    ...{ kind: 0, path: '', deleted: false, hash: NOTHING, version: 0n, writer: '' },
    ...{ md5: NOTHING, bytes: 0n, mediaType: '', sourceUrl: '', createdMs: 0n, value: NOTHING }
  }
}

/** False where the general reader may take it for something else. */
function takeNumber(message: EntryMessage, number: number, value: number): boolean {
  switch (number) {
    case 9:
      message.bytes = BigInt(value)
      return true
    case 14:
      message.createdMs = BigInt(value)
      return true
    case 3:
      message.deleted = value === 1
      return value <= 1
    case 1:
      message.kind = value
      break
    case 11:
      message.width = value
      break
    case 12:
      message.height = value
  }
  return value <= UINT32_MAX
}

function takeBytes(
  message: EntryMessage,
  number: number,
  bytes: Buffer,
  [from, to]: readonly [number, number]
): boolean {
  if (number === 4) message.hash = bytes.subarray(from, to)
  else if (number === 8) message.md5 = bytes.subarray(from, to)
  else if (number === 15) message.value = bytes.subarray(from, to)
  else {
    for (let at = from; at < to; at++) if ((bytes[at] as number) > ASCII_MAX) return false
    const text = bytes.toString('latin1', from, to)
    if (number === 2) message.path = text
    else if (number === 6) message.writer = text
    else if (number === 10) message.mediaType = text
    else message.sourceUrl = text
  }
  return true
}
