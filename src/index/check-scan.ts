// What the parts of the self-check share: how rows are read, and how a fault is told.
//
// A slice is read from one snapshot, in which entries and all that follows from them agree, since
// they are written in one batch. So writes go on meanwhile and nothing waits for them. What is
// wrong with a sum or a number is found as a difference, and the difference is put right in the
// current row: that holds whatever has been written since. Rows that lack or are too much are
// looked at again within the change that mends them.

import type { AbstractSnapshot } from 'abstract-level'
import type { Ledger } from './ledger.ts'
import type { Rows } from './rows-read.ts'
import type { TableName, Tables } from './tables.ts'

/** Rows that are read at a time: some milliseconds of work. */
const PAGE_ROWS = 256
/** Rows of a slice, where they can be divided anywhere. */
export const SLICE_ROWS = 4096

/** What can be found right as a whole: see check-sets.ts. */
export type CheckedPart = 'versions' | 'ids' | 'sources' | 'names' | 'md5s' | 'counts'

export interface Scan {
  readonly tables: Tables
  readonly snapshot: AbstractSnapshot
  /** What was found right as a whole in this round. */
  readonly right: ReadonlySet<CheckedPart>
  /** Called between two pages; the next is read when it resolves. */
  breathe(): Promise<void>
}

/**
 * sum: of the time tree. look_up: a row by which entries or wants are found. blob: how many entries
 * name it. count: of images and bytes. damaged: an entry itself, which nothing here can mend.
 */
export type FaultKind = 'sum' | 'look_up' | 'blob' | 'count' | 'damaged'

export interface Finding {
  readonly kind: FaultKind
  /** For the log: which row, and what was wrong with it. */
  readonly subject: string
  /** Whether there was something to mend. Absent where nothing can be done. */
  readonly mend?: (ledger: Ledger) => boolean | Promise<boolean>
}

export interface Slice {
  readonly findings: readonly Finding[]
  /** Where the next slice begins; undefined at the end. */
  readonly next: string | undefined
}

/** Checks what lies from a position on, in one slice. The first position is ''. */
export type Check = (scan: Scan, from: string) => Promise<Slice>

export interface RowRange {
  readonly gte: string
  readonly lt?: string
  readonly limit?: number
}

export type Row = readonly [key: string, value: unknown]

/** Rows in order, page by page. */
export async function* pagesOf(
  { tables, snapshot, breathe }: Scan,
  table: TableName,
  range: RowRange
): AsyncGenerator<readonly Row[]> {
  const iterator = tables[table].iterator({ ...range, snapshot })
  try {
    for (;;) {
      const page = await iterator.nextv(PAGE_ROWS)
      if (page.length === 0) return
      yield page
      await breathe()
    }
  } finally {
    await iterator.close()
  }
}

export async function valuesOf(
  { tables, snapshot }: Scan,
  table: TableName,
  keys: string[]
): Promise<unknown[]> {
  return keys.length === 0 ? [] : tables[table].getMany(keys, { snapshot })
}

/** Keys as of the snapshot, for what reads them within changes too. */
export function rowsOf({ tables, snapshot }: Scan): Pick<Rows, 'keys'> {
  return { keys: (table, range) => tables[table].keys({ ...range, snapshot }).all() }
}

/** Which of the keys have no row. */
export async function absentOf(
  { tables, snapshot }: Scan,
  table: TableName,
  keys: string[]
): Promise<string[]> {
  if (keys.length === 0) return []
  const found = await tables[table].hasMany(keys, { snapshot })
  return keys.filter((_, at) => !found[at])
}
