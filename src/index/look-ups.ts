// The rows by which an entry is found otherwise than by its path. By its hash it is found in the
// row of the blob, or beside that in the table `hash` (see ledger.ts).

import { type Entry, isImage } from '../../protocols/entry.ts'
import { keys, type TableName } from './tables.ts'
import type { VersionRow } from './version-encoding.ts'

export interface LookUp {
  readonly table: TableName
  readonly key: string
  readonly value: VersionRow
}

/** `key` is that of the entry. */
export function lookUpsOf(key: string, entry: Entry): LookUp[] {
  const rows: LookUp[] = [
    { table: 'version', key: keys.version(entry.version, key), value: entry.raw }
  ]
  if (!isImage(entry)) return rows
  const { path, sourceUrl } = entry
  rows.push({ table: 'id', key: keys.id(path), value: '' })
  if (sourceUrl) rows.push({ table: 'source', key: keys.source(sourceUrl, path), value: '' })
  return rows
}
