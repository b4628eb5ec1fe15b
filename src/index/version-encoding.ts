// What the row of a version holds: the author's bytes, so that entries are read in the order of
// versions without looking each up by its path. Up to format 3 it was the key of the entry, which
// is still read: it begins with a digit.

/** The author's bytes, or the key of the entry. */
export type VersionRow = Uint8Array | string

/** Before the author's bytes. */
const RAW = 0

function encodeVersion(row: VersionRow): Uint8Array {
  if (typeof row === 'string') return Buffer.from(row)
  const bytes = Buffer.allocUnsafe(1 + row.byteLength)
  bytes[0] = RAW
  bytes.set(row, 1)
  return bytes
}

function decodeVersion(bytes: Uint8Array): VersionRow {
  if (bytes[0] === RAW) return bytes.subarray(1)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

export const VERSION_ENCODING = {
  name: 'version-row',
  format: 'view',
  encode: (row: unknown) => encodeVersion(row as VersionRow),
  decode: decodeVersion
} as const
