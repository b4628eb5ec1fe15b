// Self-check of what leads from a blob to its live paths: each path is either in the row of the
// blob or a row of the table `hash`, and nothing else is.

import { type Entry, type ImageEntry, isImage, KIND_IMAGE } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import {
  absentOf,
  type Check,
  type Finding,
  pagesOf,
  type Row,
  type Scan,
  SLICE_ROWS,
  valuesOf
} from './check-scan.ts'
import { readEntry } from './read-entry.ts'
import type { BlobRow } from './rows.ts'
import { entryKey, keys } from './tables.ts'

/** Images to which nothing leads from their blob. */
export async function nameless(
  scan: Scan,
  entries: ReadonlyMap<string, Entry>
): Promise<Finding[]> {
  const images = [...entries.values()].filter(isImage)
  const blobs = await valuesOf(
    scan,
    'blob',
    images.map(({ hash }) => hash)
  )
  const others = new Map<string, ImageEntry>()
  for (const [at, image] of images.entries()) {
    const { path } = (blobs[at] as BlobRow | undefined) ?? {}
    if (path !== image.path) others.set(keys.hash(image.hash, image.path), image)
  }
  const absent = await absentOf(scan, 'hash', [...others.keys()])
  return absent.map((row) => namelessImage(others.get(row) as ImageEntry))
}

function namelessImage({ kind, path }: ImageEntry): Finding {
  const owner = entryKey(kind, path)
  return {
    kind: 'look_up',
    subject: `no hash of entry ${owner}`,
    mend(ledger) {
      const entry = readEntry(ledger.rows.get('entry', owner))
      if (!isImage(entry) || ledger.blob(entry.hash)?.path === path) return false
      const row = keys.hash(entry.hash, path)
      if (ledger.rows.get('hash', row) !== undefined) return false
      ledger.rows.put('hash', row, '')
      return true
    }
  }
}

/** Paths in rows of blobs. */
export const checkNames: Check = async (scan, from) => {
  const findings: Finding[] = []
  let last: string | undefined
  let rows = 0
  for await (const page of pagesOf(scan, 'blob', { gte: from, limit: SLICE_ROWS })) {
    const named = page.filter(([, row]) => (row as BlobRow).path !== undefined)
    findings.push(...(await strays(scan, named)), ...(await doubles(scan, named)))
    rows += page.length
    last = page.at(-1)?.[0]
  }
  return { findings, next: rows < SLICE_ROWS ? undefined : `${last}\0` }
}

async function strays(scan: Scan, named: readonly Row[]): Promise<Finding[]> {
  const targets = named.map(([, row]) => targetOf(row))
  const raws = await valuesOf(scan, 'entry', targets)
  return named
    .filter(([hash], at) => !isNamedRight(hash, raws[at]))
    .map(([hash, row]) => ({
      kind: 'look_up',
      subject: `path of blob ${hash} that leads nowhere`,
      mend(ledger) {
        const now = ledger.blob(hash as ContentHash)
        if (now?.path === undefined || now.path !== (row as BlobRow).path) return false
        if (isNamedRight(hash, ledger.rows.get('entry', targetOf(now)))) return false
        ledger.rows.put('blob', hash, { ...now, path: undefined })
        return true
      }
    }))
}

function targetOf(row: unknown): string {
  return entryKey(KIND_IMAGE, (row as BlobRow).path as string)
}

/** An entry that can't be read may well name the blob. */
function isNamedRight(hash: string, raw: unknown): boolean {
  if (raw === undefined) return false
  const entry = readEntry(raw)
  return entry === undefined || (isImage(entry) && entry.hash === hash)
}

/** Paths that have a row of their own all the same. */
async function doubles(scan: Scan, named: readonly Row[]): Promise<Finding[]> {
  const rows = named.map(([hash, row]) => rowOf(hash, row))
  const absent = new Set(await absentOf(scan, 'hash', rows))
  return named
    .filter((_, at) => !absent.has(rows[at] as string))
    .map(([hash]) => ({
      kind: 'look_up',
      subject: `path of blob ${hash} that is there twice`,
      mend(ledger) {
        const now = ledger.blob(hash as ContentHash)
        if (now?.path === undefined || ledger.rows.get('hash', rowOf(hash, now)) === undefined)
          return false
        ledger.rows.put('hash', rowOf(hash, now), undefined)
        return true
      }
    }))
}

function rowOf(hash: string, row: unknown): string {
  return keys.hash(hash as ContentHash, (row as BlobRow).path as string)
}
