// Self-check of the blobs: how many live entries and past versions name each, its want, its MD5.
//
// A number too high keeps bytes for ever; one too low lets bytes go that something names. So where
// the look-ups by hash say anything else than the row, the entries themselves are counted.

import { isImage, KIND_IMAGE } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { absentOf, type Check, type Finding, pagesOf, rowsOf, type Scan } from './check-scan.ts'
import { hasLateLookUps } from './late-look-ups.ts'
import type { Ledger } from './ledger.ts'
import { readEntry, readPast } from './read-entry.ts'
import { type BlobRow, isWanted } from './rows.ts'
import { endOf, entryKey, HASH_LENGTH, keys } from './tables.ts'

/** Past versions lie in no order of blobs and are all read for each slice, so it is a large one. */
const SLICE_BLOBS = 16_384
/** Blobs that are named but have no row, found in one slice; more are found by the next round. */
const ROWLESS_MAX = 16_384

/** What names a blob. */
interface Named {
  readonly row: BlobRow | undefined
  lookUps: number
  live: number
  past: number
  /** What a row is made of where there is none. */
  about?: Pick<BlobRow, 'bytes' | 'md5' | 'mediaType'>
}

export const checkBlobs: Check = async (scan, from) => {
  const named = new Map<string, Named>()
  const { hashes, next } = await nextBlobs(scan, from, named)
  await countLookUps(scan, hashes, named)
  await countPast(scan, hashes, named)
  const doubtful = new Set<string>()
  for (const [hash, { row, lookUps }] of named) if (lookUps !== (row?.live ?? 0)) doubtful.add(hash)
  if (doubtful.size > 0) await countEntries(scan, doubtful, named)
  const findings = [
    ...(await absentRows(scan, named)),
    ...[...named].flatMap(([hash, blob]) => wrongBlob(hash as ContentHash, blob))
  ]
  return { findings, next }
}

/** From (inclusive) to (exclusive). */
interface HashRange {
  readonly gte: string
  readonly lt: string
}

async function nextBlobs(scan: Scan, from: string, named: Map<string, Named>) {
  for await (const page of pagesOf(scan, 'blob', { gte: from, limit: SLICE_BLOBS })) {
    for (const [hash, row] of page) {
      const { live, path } = row as BlobRow
      const lookUps = path === undefined ? 0 : 1
      named.set(hash, { row: row as BlobRow, lookUps, live, past: 0 })
    }
  }
  const last = [...named.keys()].at(-1)
  const next = named.size < SLICE_BLOBS || last === undefined ? undefined : endOf(last)
  return { hashes: { gte: from, lt: next ?? 'g' }, next }
}

async function countLookUps(
  scan: Scan,
  hashes: HashRange,
  named: Map<string, Named>
): Promise<void> {
  for await (const page of pagesOf(scan, 'hash', hashes)) {
    for (const [key] of page) {
      const blob = of(named, key.slice(0, HASH_LENGTH))
      if (blob !== undefined) blob.lookUps++
    }
  }
}

async function countPast(scan: Scan, hashes: HashRange, named: Map<string, Named>): Promise<void> {
  for await (const page of pagesOf(scan, 'past', { gte: '' })) {
    for (const [, bytes] of page) {
      const entry = readPast(bytes)?.entry
      const hash = entry?.hash
      if (entry === undefined || hash === undefined || hash < hashes.gte || hash >= hashes.lt)
        continue
      const blob = of(named, hash)
      if (blob === undefined) continue
      blob.past++
      blob.about ??= aboutOf(entry)
    }
  }
}

/** How many entries really name these. */
async function countEntries(
  scan: Scan,
  hashes: ReadonlySet<string>,
  named: ReadonlyMap<string, Named>
): Promise<void> {
  for (const hash of hashes) (named.get(hash) as Named).live = 0
  const first = entryKey(KIND_IMAGE, '')
  for await (const page of pagesOf(scan, 'entry', { gte: first, lt: endOf(first) })) {
    for (const [, raw] of page) {
      const entry = readEntry(raw)
      if (!isImage(entry) || !hashes.has(entry.hash)) continue
      const blob = named.get(entry.hash) as Named
      blob.live++
      blob.about ??= aboutOf(entry)
    }
  }
}

function of(named: Map<string, Named>, hash: string): Named | undefined {
  const known = named.get(hash)
  if (known !== undefined || named.size >= SLICE_BLOBS + ROWLESS_MAX) return known
  const rowless = { row: undefined, lookUps: 0, live: 0, past: 0 }
  named.set(hash, rowless)
  return rowless
}

function aboutOf(entry: { bytes: number; md5?: Md5 | undefined; mediaType: string }) {
  return { bytes: entry.bytes, md5: entry.md5 as Md5, mediaType: entry.mediaType }
}

/** Wants and MD5s of blobs that have a row. */
async function absentRows(scan: Scan, named: ReadonlyMap<string, Named>): Promise<Finding[]> {
  const wants = new Map<string, string>()
  const md5s = new Map<string, string>()
  const skipsMd5s = scan.right.has('md5s') || (await hasLateLookUps(rowsOf(scan)))
  for (const [hash, { row }] of named) {
    if (row === undefined) continue
    if (row.want !== undefined) wants.set(keys.want(row.want, hash as ContentHash), hash)
    if (!skipsMd5s) md5s.set(keys.md5(row.md5, hash as ContentHash), hash)
  }
  const absent = (table: 'want' | 'md5', hash: string | undefined): Finding => ({
    kind: 'look_up',
    subject: `no ${table} of blob ${hash}`,
    async mend(ledger) {
      if (table === 'md5' && (await hasLateLookUps(ledger.rows))) return false
      return mendRowsOf(ledger, hash as ContentHash)
    }
  })
  return [
    ...(await absentOf(scan, 'want', [...wants.keys()])).map((k) => absent('want', wants.get(k))),
    ...(await absentOf(scan, 'md5', [...md5s.keys()])).map((k) => absent('md5', md5s.get(k)))
  ]
}

function mendRowsOf(ledger: Ledger, hash: ContentHash): boolean {
  const row = ledger.blob(hash)
  if (row === undefined) return false
  ledger.rows.put('md5', keys.md5(row.md5, hash), '')
  if (row.want !== undefined) ledger.rows.put('want', keys.want(row.want, hash), '')
  return true
}

function wrongBlob(hash: ContentHash, { row, live, past, about }: Named): Finding[] {
  const by = { live: live - (row?.live ?? 0), past: past - (row?.past ?? 0) }
  const isNamedWrong = by.live !== 0 || by.past !== 0
  const isWantWrong = row !== undefined && isWanted(row) !== (row.want !== undefined)
  if (!isNamedWrong && !isWantWrong) return []
  const had = row === undefined ? 'no row' : `${row.live} and ${row.past}`
  const subject = isNamedWrong
    ? `blob ${hash}: ${had} instead of ${live} and ${past}`
    : `blob ${hash}: its want`
  return [{ kind: 'blob', subject, mend: (ledger) => mendBlob(ledger, hash, by, about) }]
}

/**
 * A blob that nothing names any more by this keeps its file: bytes are let go because somebody
 * deleted them, and never because the index was damaged.
 */
function mendBlob(
  ledger: Ledger,
  hash: ContentHash,
  by: { live: number; past: number },
  about: Named['about']
): boolean {
  const row = ledger.blob(hash)
  if (row === undefined && about === undefined) return false
  const before: BlobRow = row ?? {
    ...(about as NonNullable<typeof about>),
    ...{ state: 'wanted', live: 0, past: 0 }
  }
  const after = {
    ...before,
    live: Math.max(0, before.live + by.live),
    past: Math.max(0, before.past + by.past)
  }
  ledger.putBlob(hash, row, after)
  mendRowsOf(ledger, hash)
  const isNamed = after.live + after.past > 0
  if (isNamed && (after.live === 0 || after.state === 'trashed')) ledger.addIntent('blob', hash)
  return true
}
