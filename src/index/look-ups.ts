// The rows by which an entry is found otherwise than by its path.

import { type Entry, isImage } from '../../protocols/entry.ts'
import { keys, type TableName } from './tables.ts'

export interface LookUp {
  readonly table: TableName
  readonly key: string
  readonly value: string
}

/** `key` is that of the entry. */
export function lookUpsOf(key: string, entry: Entry): LookUp[] {
  const rows: LookUp[] = [{ table: 'version', key: keys.version(entry.version, key), value: key }]
  if (!isImage(entry)) return rows
  const { path, hash, sourceUrl } = entry
  rows.push({ table: 'id', key: keys.id(path), value: '' })
  rows.push({ table: 'hash', key: keys.hash(hash, path), value: '' })
  if (sourceUrl) rows.push({ table: 'source', key: keys.source(sourceUrl, path), value: '' })
  return rows
}
