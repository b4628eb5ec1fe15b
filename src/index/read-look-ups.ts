// Images found otherwise than by their path.

import type { AbstractSnapshot } from 'abstract-level'
import { type ImageEntry, isImage, KIND_IMAGE } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { placesOfId, placesOfMd5 } from './late-look-ups.ts'
import { compareBytes } from './layer.ts'
import { pages } from './pages.ts'
import { readEntry, readEntryKey } from './read-entry.ts'
import type { BlobRow } from './rows.ts'
import {
  type Database,
  endOf,
  entryKey,
  HASH_LENGTH,
  ID_HASH_LENGTH,
  idRange,
  imageIdOf,
  MD5_LENGTH,
  SOURCE_LENGTH,
  sourcePrefix,
  type Table,
  type Tables
} from './tables.ts'
import type { VersionRow } from './version-encoding.ts'

export interface LookedUp {
  readonly database: Database
  readonly tables: Tables
}

/** Live paths of a blob, in order. */
export function pathsOf(parts: LookedUp, hash: ContentHash, limit: number): Promise<ImagePath[]> {
  // of one moment: a path may go from one place to the other
  return ofOneMoment(parts, async ({ blob, hash: byHash }, snapshot) => {
    const row = (await blob.get(hash, { snapshot })) as BlobRow | undefined
    const range = { gte: hash, lt: endOf(hash), limit, snapshot }
    const paths = (await byHash.keys(range).all()).map((key) => key.slice(HASH_LENGTH))
    if (row?.path !== undefined) paths.push(row.path)
    return paths.sort(compareBytes).slice(0, limit) as ImagePath[]
  })
}

/** Blobs with this MD5 that an entry, live or past, names. */
export function hashesOf(parts: LookedUp, md5: Md5, limit: number): Promise<ContentHash[]> {
  return ofOneMoment(parts, async (tables, snapshot) => {
    const found = await suffixes(tables.md5, md5, { length: MD5_LENGTH, limit, snapshot })
    const hashes = new Set(found as ContentHash[])
    for await (const image of lateImages(tables, placesOfMd5(md5), snapshot)) {
      if (image.md5 === md5) hashes.add(image.hash)
    }
    return [...hashes].sort().slice(0, limit)
  })
}

/** Live paths that came from this URL. */
export function pathsFrom(tables: Tables, sourceUrl: string, limit: number): Promise<ImagePath[]> {
  const prefix = sourcePrefix(sourceUrl)
  return suffixes(tables.source, prefix, { length: SOURCE_LENGTH, limit }) as Promise<ImagePath[]>
}

/** Live paths with this numeric id. */
export function pathsWithId(parts: LookedUp, id: number, limit: number): Promise<ImagePath[]> {
  return ofOneMoment(parts, async (tables, snapshot) => {
    const found = await tables.id.keys({ ...idRange(id), limit, snapshot }).all()
    const paths = new Set(found.map((key) => key.slice(ID_HASH_LENGTH) as ImagePath))
    for await (const { path } of lateImages(tables, placesOfId(id), snapshot)) {
      if (imageIdOf(path) === id) paths.add(path)
    }
    return [...paths].slice(0, limit)
  })
}

/** Current images whose look-ups are made later, by what their places say. */
async function* lateImages(
  { late, version, entry }: Tables,
  placesIn: (places: Uint8Array) => string[],
  snapshot: AbstractSnapshot
): AsyncGenerator<ImageEntry> {
  for await (const places of pages(late.values({ snapshot }))) {
    for (const row of placesIn(places as Uint8Array)) {
      const told = (await version.get(row, { snapshot })) as VersionRow | undefined
      const key = told && readEntryKey(told)
      const image = key === undefined ? undefined : readEntry(await entry.get(key, { snapshot }))
      if (isImage(image)) yield image
    }
  }
}

async function ofOneMoment<T>(
  { database, tables }: LookedUp,
  read: (tables: Tables, snapshot: AbstractSnapshot) => Promise<T>
): Promise<T> {
  const snapshot = database.snapshot()
  try {
    return await read(tables, snapshot)
  } finally {
    await snapshot.close()
  }
}

async function suffixes(
  table: Table<unknown>,
  prefix: string,
  { length, ...of }: { length: number; limit: number; snapshot?: AbstractSnapshot }
): Promise<string[]> {
  const found = await table.keys({ gte: prefix, lt: endOf(prefix), ...of }).all()
  return found.map((key) => key.slice(length))
}

/** Of keys of entries, the paths of those that are images. */
export function* pathsOfKeys(keys: Iterable<string>): Generator<string> {
  const prefix = entryKey(KIND_IMAGE, '')
  for (const key of keys) if (key.startsWith(prefix)) yield key.slice(prefix.length)
}
