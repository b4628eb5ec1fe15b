// How a past version lies in the database: when it ceased to be current here, then the author's
// bytes.

import { decodeEntry } from '../../protocols/entry.ts'
import type { PastVersion } from './rows.ts'

const TIME_BYTES = 8

export function encodePast({ entry, sinceMs }: PastVersion): Uint8Array {
  const bytes = Buffer.alloc(TIME_BYTES + entry.raw.byteLength)
  bytes.writeBigUInt64BE(BigInt(Math.max(0, Math.trunc(sinceMs))))
  bytes.set(entry.raw, TIME_BYTES)
  return bytes
}

export function decodePast(bytes: Uint8Array): PastVersion {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    sinceMs: Number(view.readBigUInt64BE()),
    entry: decodeEntry(view.subarray(TIME_BYTES))
  }
}
