// How the row of a blob lies in the database.
//
//   1, state, what follows (a bit each), MD5 (16), bytes (8), live (4), past (4), media type;
//   then, where there is one: want (8), path, time of verification (8), stamp (32), reason
//
// Numbers are big-endian, those that may have a fraction are doubles, and a text has its length in
// two bytes before it. Up to format 2 rows were JSON, which is still read: it begins with a brace.

import type { Md5 } from '../../protocols/hash.ts'
import type { BlobRow, BlobState, Writable } from './rows.ts'

const LAYOUT = 1
const BRACE = '{'.charCodeAt(0)
/** By their numbers; new ones come at the end. */
const STATES: readonly BlobState[] = ['held', 'trashed', 'wanted', 'damaged', 'missing', 'blocked']
const HAS_WANT = 1
const HAS_PATH = 2
const HAS_VERIFIED = 4
const HAS_STAMP = 8
const HAS_REASON = 16

const MD5_BYTES = 16
const WANT_BYTES = 8
/** Hex digits of a want. */
const WANT_LENGTH = 2 * WANT_BYTES
const TEXT_BYTES_MAX = 2 ** 16 - 1
/** All numbers and the lengths of three texts. */
const FIXED_BYTES = 3 + MD5_BYTES + 8 + 4 + 4 + WANT_BYTES + 8 + 4 * 8 + 3 * 2

function encodeBlob(row: BlobRow): Uint8Array {
  const { mediaType, want, path, verifiedAtMs, stamp, reason } = row
  const texts = mediaType.length + (path?.length ?? 0) + (reason?.length ?? 0)
  const bytes = Buffer.allocUnsafe(FIXED_BYTES + 3 * texts) // 3 bytes a character at most
  bytes[0] = LAYOUT
  bytes[1] = STATES.indexOf(row.state)
  bytes[2] =
    (want === undefined ? 0 : HAS_WANT) |
    (path === undefined ? 0 : HAS_PATH) |
    (verifiedAtMs === undefined ? 0 : HAS_VERIFIED) |
    (stamp === undefined ? 0 : HAS_STAMP) |
    (reason === undefined ? 0 : HAS_REASON)
  bytes.write(row.md5, 3, MD5_BYTES, 'hex')
  let at = bytes.writeDoubleBE(row.bytes, 3 + MD5_BYTES)
  at = bytes.writeUInt32BE(row.live, at)
  at = bytes.writeUInt32BE(row.past, at)
  at = writeText(bytes, mediaType, at)
  if (want !== undefined) at += bytes.write(want, at, WANT_BYTES, 'hex')
  if (path !== undefined) at = writeText(bytes, path, at)
  if (verifiedAtMs !== undefined) at = bytes.writeDoubleBE(verifiedAtMs, at)
  if (stamp !== undefined) {
    const { ino, size, mtimeMs, ctimeMs } = stamp
    for (const value of [ino, size, mtimeMs, ctimeMs]) at = bytes.writeDoubleBE(value, at)
  }
  if (reason !== undefined) at = writeText(bytes, reason, at)
  return bytes.subarray(0, at)
}

function writeText(bytes: Buffer, text: string, at: number): number {
  const length = bytes.write(text, at + 2)
  if (length > TEXT_BYTES_MAX) throw new Error('a text of a blob row is too long')
  bytes.writeUInt16BE(length, at)
  return at + 2 + length
}

/** Throws where the bytes are no row. */
function decodeBlob(value: Uint8Array): BlobRow {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (bytes[0] === BRACE) return decodeJson(bytes.toString())
  const state = STATES[bytes[1] as number]
  if (bytes[0] !== LAYOUT || state === undefined) throw new Error('no row of a blob')
  const has = bytes[2] as number
  let at = 3
  const skip = (length: number) => {
    at += length
    return at - length
  }
  const hex = (length: number) => bytes.toString('hex', skip(length), at)
  const double = () => bytes.readDoubleBE(skip(8))
  const count = () => bytes.readUInt32BE(skip(4))
  const text = () => {
    const length = bytes.readUInt16BE(skip(2))
    if (at + length > bytes.length) throw new Error('the row of a blob ends too early')
    return bytes.toString('utf8', skip(length), at)
  }
  const row: Writable<BlobRow> = {
    ...{ md5: hex(MD5_BYTES) as Md5, bytes: double(), live: count(), past: count() },
    ...{ mediaType: text(), state }
  }
  if (has & HAS_WANT) row.want = hex(WANT_BYTES)
  if (has & HAS_PATH) row.path = text()
  if (has & HAS_VERIFIED) row.verifiedAtMs = double()
  if (has & HAS_STAMP) {
    row.stamp = { ino: double(), size: double(), mtimeMs: double(), ctimeMs: double() }
  }
  if (has & HAS_REASON) row.reason = text()
  return row
}

/** The want was the whole key of its row there. */
function decodeJson(text: string): BlobRow {
  const row = JSON.parse(text) as BlobRow
  return row.want === undefined ? row : { ...row, want: row.want.slice(0, WANT_LENGTH) }
}

export const BLOB_ENCODING = {
  name: 'blob-row',
  format: 'view',
  encode: (row: unknown) => encodeBlob(row as BlobRow),
  decode: decodeBlob
} as const
