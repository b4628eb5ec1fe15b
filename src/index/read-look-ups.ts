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
  type Tables
} from './tables.ts'
import type { VersionRow } from './version-encoding.ts'

export interface LookedUp {
  readonly database: Database
  readonly tables: Tables
}

/** Of a list that goes on after a path, or begins. */
export interface PathPage {
  readonly limit: number
  readonly after?: string | undefined
}

/** Live paths of a blob, in order. */
export function pathsOf(
  parts: LookedUp,
  hash: ContentHash,
  { limit, after }: PathPage
): Promise<ImagePath[]> {
  // of one moment: a path may go from one place to the other
  return ofOneMoment(parts, async ({ blob, hash: byHash }, snapshot) => {
    const row = (await blob.get(hash, { snapshot })) as BlobRow | undefined
    const range = { ...rangeAfter(hash, after), limit, snapshot }
    const paths = (await byHash.keys(range).all()).map((key) => key.slice(HASH_LENGTH))
    const isIn =
      row?.path !== undefined && (after === undefined || compareBytes(row.path, after) > 0)
    if (isIn) paths.push(row.path)
    return paths.sort(compareBytes).slice(0, limit) as ImagePath[]
  })
}

/** Blobs with this MD5 that an entry, live or past, names. */
export function hashesOf(parts: LookedUp, md5: Md5, limit: number): Promise<ContentHash[]> {
  return ofOneMoment(parts, async (tables, snapshot) => {
    const range = { gte: md5, lt: endOf(md5), limit, snapshot }
    const found = (await tables.md5.keys(range).all()).map((key) => key.slice(MD5_LENGTH))
    const hashes = new Set(found as ContentHash[])
    for await (const image of lateImages(tables, placesOfMd5(md5), snapshot)) {
      if (image.md5 === md5) hashes.add(image.hash)
    }
    return [...hashes].sort().slice(0, limit)
  })
}

/** Live paths that came from this URL, in order. */
export async function pathsFrom(
  { source }: Tables,
  sourceUrl: string,
  { limit, after }: PathPage
): Promise<ImagePath[]> {
  const range = rangeAfter(sourcePrefix(sourceUrl), after)
  const found = await source.keys({ ...range, limit }).all()
  return found.map((key) => key.slice(SOURCE_LENGTH) as ImagePath)
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

function rangeAfter(prefix: string, after: string | undefined) {
  return { ...(after === undefined ? { gte: prefix } : { gt: prefix + after }), lt: endOf(prefix) }
}

/** Of keys of entries, the paths of those that are images. */
export function* pathsOfKeys(keys: Iterable<string>): Generator<string> {
  const prefix = entryKey(KIND_IMAGE, '')
  for (const key of keys) if (key.startsWith(prefix)) yield key.slice(prefix.length)
}
