// Rows of blobs go through their encoding whole, and what is none throws.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Md5 } from '../../protocols/hash.ts'
import { BLOB_ENCODING } from '../../src/index/blob-encoding.ts'
import type { BlobRow } from '../../src/index/rows.ts'

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'))
const count = fc.nat(2 ** 32 - 1)
const size = fc.nat(Number.MAX_SAFE_INTEGER)
const time = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 })
const text = fc.string({ unit: 'grapheme', maxLength: 300 }).map((it) => it.toWellFormed())

const rows = fc.record(
  {
    bytes: size,
    md5: hex(16).map((it) => it as Md5),
    mediaType: text,
    state: fc.constantFrom('held', 'trashed', 'wanted', 'damaged', 'missing' as const),
    live: count,
    past: count,
    want: hex(8),
    path: text,
    verifiedAtMs: time,
    stamp: fc.record({ ino: size, size, mtimeMs: time, ctimeMs: time }),
    reason: text
  },
  { requiredKeys: ['bytes', 'md5', 'mediaType', 'state', 'live', 'past'] }
) as fc.Arbitrary<BlobRow>

test('a row comes back as it was', () => {
  fc.assert(
    fc.property(rows, (row) => {
      expect(BLOB_ENCODING.decode(BLOB_ENCODING.encode(row))).toEqual(row)
    })
  )
})

test('rows of format 2 are read, with the version of their want', () => {
  fc.assert(
    fc.property(rows, hex(32), ({ path: _, ...row }, hash) => {
      const want = row.want && row.want + hash
      const written = Buffer.from(JSON.stringify({ ...row, want }))
      expect(BLOB_ENCODING.decode(written)).toEqual(row)
    })
  )
})

test('a row that is cut off, and bytes that are none, throw or are read as a row', () => {
  const read = (bytes: Uint8Array) => {
    try {
      expect(BLOB_ENCODING.decode(bytes).state).toEqual(expect.any(String))
      return true
    } catch (error) {
      expect(error).toBeInstanceOf(Error)
      return false
    }
  }
  fc.assert(
    fc.property(rows, fc.nat(500), (row, at) => {
      const bytes = BLOB_ENCODING.encode(row)
      const end = at % bytes.byteLength
      expect(read(bytes.subarray(0, end))).toBe(false)
    })
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void read(bytes)))
})
