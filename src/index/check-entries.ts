// Self-check of the entries, in the order of their paths: each can be read and has its look-ups.
// Then the look-ups: each leads to what it was made for.

import { type Entry, isImage, KIND_IMAGE } from '../../protocols/entry.ts'
import {
  type Check,
  type Finding,
  pagesOf,
  type Row,
  readEntry,
  type Scan,
  valuesOf
} from './check-scan.ts'
import { type LookUp, lookUpsOf } from './look-ups.ts'
import type { BlobRow } from './rows.ts'
import {
  entryKey,
  HASH_LENGTH,
  ID_HASH_LENGTH,
  keys,
  SOURCE_LENGTH,
  type TableName,
  VERSION_LENGTH
} from './tables.ts'

const SLICE_ROWS = 4096

export const checkEntries: Check = async (scan, from) => {
  const findings: Finding[] = []
  let last: string | undefined
  let rows = 0
  for await (const page of pagesOf(scan, 'entry', { gte: from, limit: SLICE_ROWS })) {
    const entries = new Map<string, Entry>()
    for (const [key, raw] of page) {
      const entry = readEntry(raw)
      // Kept: another program may read it, and whatever took its place would be a guess.
      if (entry === undefined) findings.push({ kind: 'unreadable', subject: `entry ${key}` })
      else entries.set(key, entry)
    }
    findings.push(...(await wrongLookUps(scan, entries)))
    rows += page.length
    last = page.at(-1)?.[0]
  }
  return { findings, next: rows < SLICE_ROWS ? undefined : `${last}\0` }
}

async function wrongLookUps(scan: Scan, entries: ReadonlyMap<string, Entry>): Promise<Finding[]> {
  const due = new Map<TableName, (LookUp & { readonly owner: string })[]>()
  for (const [owner, entry] of entries) {
    for (const lookUp of lookUpsOf(owner, entry)) {
      const ofTable = due.get(lookUp.table) ?? []
      due.set(lookUp.table, ofTable)
      ofTable.push({ ...lookUp, owner })
    }
  }
  const findings: Finding[] = []
  for (const [table, lookUps] of due) {
    const rows = lookUps.map(({ key }) => key)
    const values = await valuesOf(scan, table, rows)
    const wrong = lookUps.filter(({ value }, at) => values[at] !== value)
    findings.push(...wrong.map(({ key, owner }) => wrongLookUp(table, key, owner)))
  }
  return findings
}

function wrongLookUp(table: TableName, row: string, owner: string): Finding {
  return {
    kind: 'look_up',
    subject: `no ${table} of entry ${owner}`,
    mend({ rows }) {
      const entry = readEntry(rows.get('entry', owner))
      const lookUp = entry && lookUpsOf(owner, entry).find(({ key }) => key === row)
      if (lookUp === undefined || rows.get(table, row) === lookUp.value) return false
      rows.put(table, row, lookUp.value)
      return true
    }
  }
}

/** What a look-up leads to, and whether that leads back. */
interface Way {
  readonly table: TableName
  readonly to: TableName
  target(row: string): string
  isRight(row: string, target: unknown): boolean
}

const imageWay = (
  table: TableName,
  length: number,
  own: (e: Entry) => string | undefined
): Way => ({
  table,
  to: 'entry',
  target: (row) => entryKey(KIND_IMAGE, row.slice(length)),
  isRight(row, raw) {
    if (raw === undefined) return false
    const entry = readEntry(raw)
    return entry === undefined || (isImage(entry) && own(entry) === row)
  }
})

const hashWay = imageWay('hash', HASH_LENGTH, ({ hash, path }) => hash && keys.hash(hash, path))

const idWay = imageWay('id', ID_HASH_LENGTH, ({ path }) => keys.id(path))

const sourceWay = imageWay('source', SOURCE_LENGTH, ({ sourceUrl, path }) =>
  sourceUrl ? keys.source(sourceUrl, path) : undefined
)

const wantWay: Way = {
  table: 'want',
  to: 'blob',
  target: (row) => row.slice(VERSION_LENGTH),
  isRight: (row, blob) => (blob as BlobRow | undefined)?.want === row
}

/**
 * Whether each of these leads somewhere. Those by version are looked at with the sums; one by MD5
 * too many only costs whoever follows it a look.
 */
export const checkIds: Check = (scan, from) => checkWay(scan, from, idWay)
export const checkHashes: Check = (scan, from) => checkWay(scan, from, hashWay)
export const checkSources: Check = (scan, from) => checkWay(scan, from, sourceWay)
export const checkWants: Check = (scan, from) => checkWay(scan, from, wantWay)

async function checkWay(scan: Scan, from: string, way: Way) {
  const findings: Finding[] = []
  let last: string | undefined
  let rows = 0
  for await (const page of pagesOf(scan, way.table, { gte: from, limit: SLICE_ROWS })) {
    findings.push(...(await straysOf(scan, page, way)))
    rows += page.length
    last = page.at(-1)?.[0]
  }
  return { findings, next: rows < SLICE_ROWS ? undefined : `${last}\0` }
}

async function straysOf(scan: Scan, page: readonly Row[], way: Way): Promise<Finding[]> {
  const rows = page.map(([key]) => key)
  const targets = await valuesOf(scan, way.to, rows.map(way.target))
  return rows
    .filter((row, at) => !way.isRight(row, targets[at]))
    .map((row) => ({
      kind: 'look_up',
      subject: `${way.table} of ${way.target(row)} that leads nowhere`,
      mend({ rows: current }) {
        const isThere = current.get(way.table, row) !== undefined
        if (!isThere || way.isRight(row, current.get(way.to, way.target(row)))) return false
        current.put(way.table, row, undefined)
        return true
      }
    }))
}
