// The records of the index, as a change sees them.

import { KIND_RECORD } from '../../protocols/entry.ts'
import type { Rows } from './layer.ts'
import { readEntry } from './read-entry.ts'
import { endOf, entryKey } from './tables.ts'

export interface IndexRecord {
  readonly name: string
  readonly value: Uint8Array
}

/** Records whose names start with `prefix`, at most `limit`, in the order of their names. */
export async function readRecords(
  rows: Rows,
  prefix: string,
  limit: number
): Promise<IndexRecord[]> {
  const gte = entryKey(KIND_RECORD, prefix)
  const records: IndexRecord[] = []
  for (const key of await rows.keys('entry', { gte, lt: endOf(gte), limit })) {
    const entry = readEntry(rows.get('entry', key))
    if (entry?.value !== undefined) records.push({ name: entry.path, value: entry.value })
  }
  return records
}
