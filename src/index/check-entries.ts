// Self-check of the entries, in the order of their paths: each can be read and has its look-ups.

import type { Entry } from '../../protocols/entry.ts'
import { nameless } from './check-names.ts'
import {
  type Check,
  type Finding,
  pagesOf,
  rowsOf,
  type Scan,
  SLICE_ROWS,
  valuesOf
} from './check-scan.ts'
import { hasLateLookUps } from './late-look-ups.ts'
import { type LookUp, lookUpsOf } from './look-ups.ts'
import { isRowOf, readEntry } from './read-entry.ts'
import type { TableName } from './tables.ts'

export const checkEntries: Check = async (scan, from) => {
  const findings: Finding[] = []
  let last: string | undefined
  let rows = 0
  for await (const page of pagesOf(scan, 'entry', { gte: from, limit: SLICE_ROWS })) {
    const entries = new Map<string, Entry>()
    for (const [key, raw] of page) {
      const entry = readEntry(raw)
      // Kept: another program may read it, and whatever took its place would be a guess.
      if (entry === undefined) findings.push({ kind: 'damaged', subject: `entry ${key} is none` })
      else entries.set(key, entry)
    }
    findings.push(...(await wrongLookUps(scan, entries)), ...(await nameless(scan, entries)))
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
  const isLate = await hasLateLookUps(rowsOf(scan))
  for (const [table, lookUps] of due) {
    if (table === 'id' && isLate) continue
    const rows = lookUps.map(({ key }) => key)
    const values = await valuesOf(scan, table, rows)
    const wrong = lookUps.filter((lookUp, at) => !isRight(lookUp, lookUp.owner, values[at]))
    findings.push(...wrong.map(({ key, owner }) => wrongLookUp(table, key, owner)))
  }
  return findings
}

function wrongLookUp(table: TableName, row: string, owner: string): Finding {
  return {
    kind: 'look_up',
    subject: `no ${table} of entry ${owner}`,
    async mend({ rows }) {
      if (table === 'id' && (await hasLateLookUps(rows))) return false
      const entry = readEntry(rows.get('entry', owner))
      const lookUp = entry && lookUpsOf(owner, entry).find(({ key }) => key === row)
      if (lookUp === undefined || isRight(lookUp, owner, rows.get(table, row))) return false
      rows.put(table, row, lookUp.value)
      return true
    }
  }
}

/**
 * Whether a look-up is there and leads back to its entry. Where the row of a version has other
 * bytes of the same entry, the sums tell which of them are wrong: see check-tree.ts.
 */
function isRight({ table, key, value }: LookUp, owner: string, found: unknown): boolean {
  if (table !== 'version') return found === value
  if (!(found instanceof Uint8Array)) return found === owner
  return Buffer.compare(found, value as Uint8Array) === 0 || isRowOf(key, readEntry(found))
}
