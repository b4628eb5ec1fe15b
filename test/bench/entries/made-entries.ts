// Entries as another node would have written them, by number: images of a shop, one every so often,
// on paths that have nothing to do with their time.

import { hash as digest } from 'node:crypto'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { type Entry, encodeEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { versionAt } from '../../../protocols/version.ts'

/** A peer id has this length. */
const WRITER = '12D3KooWBenchBenchBenchBenchBenchBenchBenchBenchBen1'
/** 2024-01-01 */
const BEGIN_MS = 1_704_067_200_000
const LENGTH_BYTES = 2
const BUFFER_BYTES = 4 * 2 ** 20
export const BATCH = 256

export interface Making {
  readonly count: number
  /** Between two entries: how dense they lie in the time tree. */
  readonly everyMs: number
  /** Others than those of another series. */
  readonly series?: string
}

/** The image that is the n-th in time; or its tombstone, written at the time of another. */
export function madeEntry(
  n: number,
  { everyMs, series = 'shop' }: Making,
  deletedAt?: number
): Entry {
  const key = digest('sha256', `${series} ${n}`) as ContentHash
  const atMs = BEGIN_MS + n * everyMs
  const path = `${series}/${key.slice(0, 2)}/${key.slice(2, 14)}-${n}.jpg`
  const about = { kind: KIND_IMAGE, path, writer: WRITER, createdMs: atMs }
  if (deletedAt !== undefined) {
    const version = versionAt(BEGIN_MS + deletedAt * everyMs)
    return encodeEntry({ ...about, version, deleted: true, bytes: 0, mediaType: '' })
  }
  return encodeEntry({
    ...about,
    ...{ version: versionAt(atMs), deleted: false, hash: key, md5: key.slice(0, 32) as Md5 },
    ...{ bytes: 100_000 + (n % 1000), mediaType: 'image/jpeg', width: 1200, height: 800 }
  })
}

/** Writes them to a file, newest first, as an exchange brings them; how many bytes they have. */
export function writeEntries(file: string, making: Making): number {
  const fd = openSync(file, 'w')
  const buffer = Buffer.alloc(BUFFER_BYTES)
  let [used, bytes] = [0, 0]
  try {
    for (let n = making.count - 1; n >= 0; n--) {
      const { raw } = madeEntry(n, making)
      if (used + LENGTH_BYTES + raw.byteLength > buffer.length) {
        writeSync(fd, buffer, 0, used)
        used = 0
      }
      buffer.writeUInt16BE(raw.byteLength, used)
      buffer.set(raw, used + LENGTH_BYTES)
      used += LENGTH_BYTES + raw.byteLength
      bytes += raw.byteLength
    }
    writeSync(fd, buffer, 0, used)
  } finally {
    closeSync(fd)
  }
  return bytes
}

/** What such a file holds, a batch at a time. */
export function* readEntries(file: string): Generator<readonly Uint8Array[]> {
  const fd = openSync(file, 'r')
  let rest = Buffer.alloc(0)
  let batch: Uint8Array[] = []
  try {
    for (;;) {
      const piece = Buffer.alloc(BUFFER_BYTES)
      const read = readSync(fd, piece)
      if (read === 0) break
      rest = Buffer.concat([rest, piece.subarray(0, read)])
      let at = 0
      while (at + LENGTH_BYTES <= rest.length) {
        const end = at + LENGTH_BYTES + rest.readUInt16BE(at)
        if (end > rest.length) break
        batch.push(rest.subarray(at + LENGTH_BYTES, end))
        at = end
        if (batch.length < BATCH) continue
        yield batch
        batch = []
      }
      rest = rest.subarray(at)
    }
    if (batch.length > 0) yield batch
  } finally {
    closeSync(fd)
  }
}
