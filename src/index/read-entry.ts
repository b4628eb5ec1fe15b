// Entries as the disk has them. The database does not look at its checksums when it reads, so one
// may have been changed: it must not be in the way of all others, and is told by the self-check.

import { decodeEntry, type Entry } from '../../protocols/entry.ts'
import { decodePast } from './past.ts'
import type { PastVersion } from './rows.ts'
import { entryKey, keys } from './tables.ts'
import type { VersionRow } from './version-encoding.ts'

/** Undefined if the bytes are none that this program can read. */
export function readEntry(raw: unknown): Entry | undefined {
  return read(raw, decodeEntry)
}

/** The key of the entry that the row of a version is of; undefined as above. */
export function readEntryKey(row: VersionRow): string | undefined {
  if (typeof row === 'string') return row
  const entry = readEntry(row)
  return entry && entryKey(entry.kind, entry.path)
}

/** Whether the row of a version is that of an entry. */
export function isRowOf(row: string, entry: Entry | undefined): boolean {
  if (entry === undefined) return false
  return keys.version(entry.version, entryKey(entry.kind, entry.path)) === row
}

/** The same for a past version. */
export function readPast(bytes: unknown): PastVersion | undefined {
  return read(bytes, decodePast)
}

function read<T>(bytes: unknown, decode: (bytes: Uint8Array) => T): T | undefined {
  if (bytes === undefined) return undefined
  try {
    return decode(bytes as Uint8Array)
  } catch {
    return undefined
  }
}
