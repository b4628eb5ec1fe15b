// What of the index is right as a whole. All rows that should be, and all that there are, are read
// in the order in which they lie and compared as sets: looked up one by one, in the order of
// others, they cost several times as much. Where two sets differ the checks of the single rows find
// out why; where they are the same these have nothing to find, and are left out.

import { type Entry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { type CheckedPart, pagesOf, type Scan } from './check-scan.ts'
import { readEntry } from './read-entry.ts'
import {
  addShare,
  type BlobRow,
  type Counts,
  countsOfBlob,
  countsOfEntry,
  NO_COUNTS,
  type Writable
} from './rows.ts'
import { SetSum } from './set-sum.ts'
import { ID_HASH_LENGTH, keys } from './tables.ts'
import type { VersionRow } from './version-encoding.ts'

/** What there should be, by the entries and by the rows of blobs. */
interface Due {
  readonly versions: SetSum
  readonly ids: SetSum
  readonly sources: SetSum
  readonly names: SetSum
  readonly md5s: SetSum
  readonly counts: Writable<Counts>
}

/** Nothing where an entry can't be read: what it should have is not known. */
export async function rightParts(scan: Scan): Promise<ReadonlySet<CheckedPart>> {
  const due: Due = {
    ...{ versions: new SetSum(), ids: new SetSum(), sources: new SetSum() },
    ...{ names: new SetSum(), md5s: new SetSum(), counts: { ...NO_COUNTS } }
  }
  const right = new Set<CheckedPart>()
  for await (const page of pagesOf(scan, 'entry', { gte: '' })) {
    for (const [key, raw] of page) {
      const entry = readEntry(raw)
      if (entry === undefined) return right
      addDue(due, key, entry)
    }
  }
  const names = await namesOfBlobs(scan, due)
  const found: readonly (readonly [CheckedPart, SetSum, SetSum])[] = [
    ['versions', due.versions, await versionsOf(scan)],
    ['ids', due.ids, await idsOf(scan)],
    ['sources', due.sources, await textsOf(scan, 'source')],
    ['names', due.names, await textsOf(scan, 'hash', names)],
    ['md5s', due.md5s, await textsOf(scan, 'md5')]
  ]
  for (const [part, a, b] of found) if (a.isSame(b)) right.add(part)
  if (await areCountsRight(scan, due.counts)) right.add('counts')
  return right
}

function addDue(due: Due, key: string, entry: Entry): void {
  due.versions.add(keys.version(entry.version, key), entry.raw)
  addShare(due.counts, countsOfEntry(entry), 1)
  if (!isImage(entry)) return
  const { path, hash, sourceUrl } = entry
  due.ids.add(path)
  due.names.add(hash, path)
  if (sourceUrl) due.sources.add(keys.source(sourceUrl, path))
}

/** The paths that rows of blobs name. */
async function namesOfBlobs(scan: Scan, due: Due): Promise<SetSum> {
  const names = new SetSum()
  for await (const page of pagesOf(scan, 'blob', { gte: '' })) {
    for (const [hash, value] of page) {
      const row = value as BlobRow
      due.md5s.add(row.md5, hash as ContentHash)
      addShare(due.counts, countsOfBlob(row), 1)
      if (row.path !== undefined) names.add(hash, row.path)
    }
  }
  return names
}

async function versionsOf(scan: Scan): Promise<SetSum> {
  const sum = new SetSum()
  for await (const page of pagesOf(scan, 'version', { gte: '' })) {
    for (const [row, told] of page) {
      // of an earlier format: its entry is looked up
      if (typeof (told as VersionRow) === 'string') return new SetSum()
      sum.add(row, told as Uint8Array)
    }
  }
  return sum
}

async function idsOf(scan: Scan): Promise<SetSum> {
  const sum = new SetSum()
  for await (const page of pagesOf(scan, 'id', { gte: '' })) {
    for (const [row] of page) {
      const path = row.slice(ID_HASH_LENGTH)
      if (keys.id(path) === row) sum.add(path)
      else sum.add(row) // belongs to no path
    }
  }
  return sum
}

async function textsOf(
  scan: Scan,
  table: 'source' | 'hash' | 'md5',
  sum = new SetSum()
): Promise<SetSum> {
  for await (const page of pagesOf(scan, table, { gte: '' })) {
    for (const [row] of page) sum.add(row)
  }
  return sum
}

async function areCountsRight(scan: Scan, counts: Writable<Counts>): Promise<boolean> {
  const { tables, snapshot } = scan
  for await (const page of pagesOf(scan, 'review', { gte: '' })) {
    addShare(counts, { reviewImages: page.length }, 1)
  }
  const stored = (await tables.meta.get('counts', { snapshot })) as Counts | undefined
  const found: Counts = { ...NO_COUNTS, ...stored }
  return Object.entries(found).every(([name, value]) => value === counts[name as keyof Counts])
}
