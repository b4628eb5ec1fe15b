// Self-check of the look-ups: each leads to what it was made for.

import { type Entry, isImage, KIND_IMAGE } from '../../protocols/entry.ts'
import {
  type Check,
  type Finding,
  pagesOf,
  type Row,
  type Scan,
  SLICE_ROWS,
  valuesOf
} from './check-scan.ts'
import { readEntry, readPast } from './read-entry.ts'
import type { BlobRow, ReviewRow } from './rows.ts'
import {
  entryKey,
  HASH_LENGTH,
  ID_HASH_LENGTH,
  keys,
  MS_LENGTH,
  msKey,
  SOURCE_LENGTH,
  type TableName,
  VERSION_LENGTH
} from './tables.ts'

/** What a look-up leads to, and whether that leads back. */
interface Way {
  readonly table: TableName
  readonly to: TableName
  target(row: string, value: unknown): string
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
  isRight: (row, blob) => (blob as BlobRow | undefined)?.want === row.slice(0, VERSION_LENGTH)
}

const ageWay: Way = {
  table: 'age',
  to: 'past',
  target: (row) => row.slice(MS_LENGTH),
  isRight(row, bytes) {
    if (bytes === undefined) return false
    const past = readPast(bytes)
    return past === undefined || row.startsWith(msKey(past.sinceMs))
  }
}

const reviewWay: Way = {
  table: 'review',
  to: 'past',
  target: (_, review) => (review as ReviewRow).past,
  isRight: (_, past) => past !== undefined
}

/**
 * Whether each of these leads somewhere. Those by version are looked at with the sums; one by MD5
 * too many only costs whoever follows it a look.
 */
export const checkIds: Check = (scan, from) => checkWay(scan, from, idWay)
export const checkHashes: Check = (scan, from) => checkWay(scan, from, hashWay)
export const checkSources: Check = (scan, from) => checkWay(scan, from, sourceWay)
export const checkWants: Check = (scan, from) => checkWay(scan, from, wantWay)
export const checkAges: Check = (scan, from) => checkWay(scan, from, ageWay)
export const checkReviews: Check = (scan, from) => checkWay(scan, from, reviewWay)

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
  const names = page.map(([row, value]) => way.target(row, value))
  const targets = await valuesOf(scan, way.to, names)
  return page
    .filter(([row], at) => !way.isRight(row, targets[at]))
    .map(([row, value]) => ({
      kind: 'look_up',
      subject: `${way.table} of ${way.target(row, value)} that leads nowhere`,
      mend({ rows: current }) {
        const now = current.get(way.table, row)
        if (now === undefined) return false
        if (way.isRight(row, current.get(way.to, way.target(row, now)))) return false
        current.put(way.table, row, undefined)
        return true
      }
    }))
}
