// The records of the index, as a change sees them.

import { KIND_RECORD } from '../../protocols/entry.ts'
import { readEntry } from './read-entry.ts'
import type { Rows } from './rows-read.ts'
import { endOf, entryKey } from './tables.ts'

/** Keys that are read at a time, and all in all: records that were deleted are among them. */
const PAGE_RECORDS = 256
const READ_MAX = 20_000

export interface IndexRecord {
  readonly name: string
  /** Undefined if the disk has changed it: what it said is not known. */
  readonly value: Uint8Array | undefined
}

export interface IndexRecords {
  readonly records: readonly IndexRecord[]
  /** False if there are more than `limit`, or too many to look through. */
  readonly isAll: boolean
}

/**
 * Records whose names start with `prefix` and that are not deleted, at most `limit`, in the order
 * of their names.
 */
export async function readRecords(
  rows: Rows,
  prefix: string,
  limit: number
): Promise<IndexRecords> {
  const first = entryKey(KIND_RECORD, prefix)
  const lt = endOf(first)
  const records: IndexRecord[] = []
  let gte = first
  for (let read = 0; read < READ_MAX; read += PAGE_RECORDS) {
    const page = await rows.keys('entry', { gte, lt, limit: PAGE_RECORDS })
    for (const key of page) {
      const entry = readEntry(rows.get('entry', key))
      if (entry?.deleted) continue
      if (records.length === limit) return { records, isAll: false }
      records.push({ name: key.slice(entryKey(KIND_RECORD, '').length), value: entry?.value })
    }
    if (page.length < PAGE_RECORDS) return { records, isAll: true }
    gte = `${page.at(-1)}\0`
  }
  return { records, isAll: false }
}
