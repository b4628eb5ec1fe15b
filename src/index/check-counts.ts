// Self-check of the counts of images, blobs and bytes: all of them at once, since a count is one.

import { type Check, type Finding, pagesOf } from './check-scan.ts'
import { readEntry } from './read-entry.ts'
import {
  addCounts,
  type BlobRow,
  type Counts,
  countsOfBlob,
  countsOfEntry,
  NO_COUNTS
} from './rows.ts'

export const checkCounts: Check = async (scan) => {
  const { tables, snapshot } = scan
  const counted: Record<string, number> = { ...NO_COUNTS }
  for await (const page of pagesOf(scan, 'entry', { gte: '' })) {
    for (const [, raw] of page) {
      const entry = readEntry(raw)
      // said already; what it counts for is not known
      if (entry === undefined) return { findings: [], next: undefined }
      add(counted, countsOfEntry(entry))
    }
  }
  for await (const page of pagesOf(scan, 'blob', { gte: '' })) {
    for (const [, row] of page) add(counted, countsOfBlob(row as BlobRow))
  }
  for await (const page of pagesOf(scan, 'review', { gte: '' })) {
    add(counted, { reviewImages: page.length })
  }
  const stored = (await tables.meta.get('counts', { snapshot })) as Counts | undefined
  const found: Counts = { ...NO_COUNTS, ...stored }
  const findings = Object.entries(found).flatMap(([name, value]) =>
    value === counted[name] ? [] : [wrongCount(name, value, counted[name] ?? 0)]
  )
  return { findings, next: undefined }
}

function add(counts: Record<string, number>, share: Partial<Counts>): void {
  for (const name in share) counts[name] = (counts[name] ?? 0) + (share[name as keyof Counts] ?? 0)
}

function wrongCount(name: string, found: number, right: number): Finding {
  return {
    kind: 'count',
    subject: `count ${name}: ${found} instead of ${right}`,
    mend({ rows }) {
      const counts = { ...NO_COUNTS, ...(rows.get('meta', 'counts') as Counts | undefined) }
      rows.put('meta', 'counts', addCounts(counts, { [name]: right - found }, 1))
      return true
    }
  }
}
