// The rows by which an entry is found otherwise than by its path. By its hash it is found in the
// row of the blob, or beside that in the table `hash` (see ledger.ts).

import { type Entry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { type BlobRow, pathsInRow } from './rows.ts'
import type { Rows } from './rows-read.ts'
import { endOf, HASH_LENGTH, keys, type TableName } from './tables.ts'
import type { VersionRow } from './version-encoding.ts'

export interface LookUp {
  readonly table: TableName
  readonly key: string
  readonly value: VersionRow
}

/** `key` is that of the entry. */
export function lookUpsOf(key: string, entry: Entry): LookUp[] {
  const rows: LookUp[] = promptLookUpsOf(key, entry)
  if (isImage(entry)) rows.push({ table: 'id', key: keys.id(entry.path), value: '' })
  return rows
}

/** Without that which may be made later (late-look-ups.ts). The first one is that by version. */
export function promptLookUpsOf(key: string, entry: Entry): [LookUp, ...LookUp[]] {
  const { version, raw, path, sourceUrl } = entry
  const rows: [LookUp, ...LookUp[]] = [
    { table: 'version', key: keys.version(version, key), value: raw }
  ]
  if (isImage(entry) && sourceUrl) {
    rows.push({ table: 'source', key: keys.source(sourceUrl, path), value: '' })
  }
  return rows
}

/** Up to `limit` live paths of a blob. */
export async function livePathsOf(
  rows: Rows,
  hash: ContentHash,
  limit: number
): Promise<ImagePath[]> {
  const row = rows.get('blob', hash) as BlobRow | undefined
  const named = pathsInRow(row)
  if (named !== undefined) return named
  const keys = await rows.keys('hash', { gte: hash, lt: endOf(hash), limit })
  const paths = keys.map((key) => key.slice(HASH_LENGTH))
  return (row?.path === undefined ? paths : [row.path, ...paths]) as ImagePath[]
}
