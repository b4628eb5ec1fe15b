// Images found otherwise than by their path.

import { KIND_IMAGE } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { compareBytes } from './layer.ts'
import type { BlobRow } from './rows.ts'
import {
  type Database,
  endOf,
  entryKey,
  HASH_LENGTH,
  ID_HASH_LENGTH,
  idRange,
  MD5_LENGTH,
  SOURCE_LENGTH,
  sourcePrefix,
  type Tables
} from './tables.ts'

/** Live paths of a blob, in order. */
export async function pathsOf(
  { database, tables }: { readonly database: Database; readonly tables: Tables },
  hash: ContentHash,
  limit: number
): Promise<ImagePath[]> {
  // of one moment: a path may go from one place to the other
  const snapshot = database.snapshot()
  try {
    const row = (await tables.blob.get(hash, { snapshot })) as BlobRow | undefined
    const range = { gte: hash, lt: endOf(hash), limit, snapshot }
    const paths = (await tables.hash.keys(range).all()).map((key) => key.slice(HASH_LENGTH))
    if (row?.path !== undefined) paths.push(row.path)
    return paths.sort(compareBytes).slice(0, limit) as ImagePath[]
  } finally {
    await snapshot.close()
  }
}

/** Blobs with this MD5 that an entry, live or past, names. */
export function hashesOf(tables: Tables, md5: Md5, limit: number): Promise<ContentHash[]> {
  return suffixes(tables, 'md5', md5, MD5_LENGTH, limit) as Promise<ContentHash[]>
}

/** Live paths that came from this URL. */
export function pathsFrom(tables: Tables, sourceUrl: string, limit: number): Promise<ImagePath[]> {
  const prefix = sourcePrefix(sourceUrl)
  return suffixes(tables, 'source', prefix, SOURCE_LENGTH, limit) as Promise<ImagePath[]>
}

/** Live paths with this numeric id. */
export async function pathsWithId(tables: Tables, id: number, limit: number): Promise<ImagePath[]> {
  const found = await tables.id.keys({ ...idRange(id), limit }).all()
  return found.map((key) => key.slice(ID_HASH_LENGTH) as ImagePath)
}

async function suffixes(
  tables: Tables,
  table: 'md5' | 'source',
  prefix: string,
  length: number,
  limit: number
): Promise<string[]> {
  const found = await tables[table].keys({ gte: prefix, lt: endOf(prefix), limit }).all()
  return found.map((key) => key.slice(length))
}

/** Of keys of entries, the paths of those that are images. */
export function* pathsOfKeys(keys: Iterable<string>): Generator<string> {
  const prefix = entryKey(KIND_IMAGE, '')
  for (const key of keys) if (key.startsWith(prefix)) yield key.slice(prefix.length)
}
