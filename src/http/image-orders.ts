// The orders in which images are listed. Each can go on from any place in it, also one whose image
// is gone.

import { type Entry, type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { parseVersionKey, VERSION_MAX, type Version } from '../../protocols/version.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { entryKey, keys } from '../index/tables.ts'
import { type CursorOrder, encodeCursor, type Place, parseCursor } from './cursor.ts'

export interface Listed {
  /** Undefined where there is no image: it is looked at all the same. */
  readonly entry: ImageEntry | undefined
  readonly place: Place
}

export interface ImageOrder {
  readonly name: CursorOrder
  /** All places after `place`, from the first one without it. */
  from(place: Place | undefined): AsyncIterable<Listed>
}

/** Images of one URL, or paths of one blob, that are read at a time. */
const PAGE_PATHS = 1000
/** Rows that one page looks at when a filter lets few of them through: well under a second. */
const PAGE_SCANNED_MAX = 20_000
const VERSION_KEY_LENGTH = 16

export function byPath(index: ImageIndex, prefix: string): ImageOrder {
  return {
    name: 'path',
    async *from(place) {
      for await (const entry of index.listAll({ prefix, after: place?.[0] })) {
        yield { entry: imageOf(entry), place: [entry.path] }
      }
    }
  }
}

/** Images that came from a URL, by path. */
export function bySource(index: ImageIndex, sourceUrl: string): ImageOrder {
  return {
    name: 'path',
    async *from(place) {
      const page = (after?: string) => index.pathsFrom(sourceUrl, PAGE_PATHS, after)
      for await (const path of pathsAfter(place?.[0], page)) {
        const entry = index.image(path)
        if (entry !== undefined) yield { entry, place: [path] }
      }
    }
  }
}

/**
 * Images whose version is `since` or later, oldest first: what changes while it is read comes at
 * the end.
 */
export function oldestFirst(index: ImageIndex, since: Version): ImageOrder {
  return {
    name: 'version',
    async *from(place) {
      const [after] = place ?? []
      const start = after === undefined ? since : versionOf(after)
      for await (const entry of index.listByVersion({ since: start })) {
        const key = versionKeyOf(entry)
        if (after === undefined || key > after) yield { entry: imageOf(entry), place: [key] }
      }
    }
  }
}

export function newestFirst(index: ImageIndex): ImageOrder {
  return {
    name: 'version',
    async *from(place) {
      const [after] = place ?? []
      const version = after === undefined ? VERSION_MAX : versionOf(after)
      // several images may share one version: they are told apart by the rest of the key
      const range = version === VERSION_MAX ? {} : { before: version + 1n }
      for await (const entry of index.listByVersion(range)) {
        const key = versionKeyOf(entry)
        if (after === undefined || key < after) yield { entry: imageOf(entry), place: [key] }
      }
    }
  }
}

/** The same for images that are in memory. */
export function newestFirstOf(entries: readonly ImageEntry[]): ImageOrder {
  const listed = entries.map((entry) => ({ entry, place: [versionKeyOf(entry)] }))
  listed.sort((a, b) => ((a.place[0] as string) < (b.place[0] as string) ? 1 : -1))
  return {
    name: 'version',
    async *from(place) {
      const after = place?.[0]
      for (const one of listed)
        if (after === undefined || (one.place[0] as string) < after) yield one
    }
  }
}

/** Images whose bytes are not here, oldest want first. */
export function wanted(index: ImageIndex): ImageOrder {
  return {
    name: 'want',
    async *from(place) {
      const [afterWant = '', afterPath] = place ?? []
      for await (const hash of index.wants({ from: afterWant })) {
        const version = index.blob(hash)?.want
        const want = version && keys.want(version, hash)
        if (want === undefined || want < afterWant) continue
        const page = (after?: string) => index.pathsOf(hash, PAGE_PATHS, after)
        for await (const path of pathsAfter(want > afterWant ? undefined : afterPath, page)) {
          const entry = index.image(path)
          if (entry !== undefined) yield { entry, place: [want, path] }
        }
      }
    }
  }
}

export interface Page {
  readonly entries: readonly ImageEntry[]
  /** Undefined at the end of the list. A page with fewer images than asked for may have one. */
  readonly nextCursor: string | undefined
}

/** One page of an order. Throws VALIDATION for a cursor of another one, and the signal's reason. */
export async function readPage(
  order: ImageOrder,
  keep: (entry: ImageEntry) => boolean,
  { limit, cursor, signal }: { limit: number; cursor: string | undefined; signal: AbortSignal }
): Promise<Page> {
  const entries: ImageEntry[] = []
  const start = cursor === undefined ? undefined : parseCursor(order.name, cursor)
  let last: Place | undefined
  let scanned = 0
  for await (const { entry, place } of order.from(start)) {
    signal.throwIfAborted()
    const isFull = entries.length >= limit && entry !== undefined
    if (last !== undefined && (isFull || scanned >= PAGE_SCANNED_MAX)) {
      return { entries, nextCursor: encodeCursor(order.name, last) }
    }
    if (entry !== undefined && keep(entry)) entries.push(entry)
    last = place
    scanned++
  }
  return { entries, nextCursor: undefined }
}

function imageOf(entry: Entry): ImageEntry | undefined {
  return isImage(entry) ? entry : undefined
}

/** Sorts like the index does: by version, then by the hash of the path. */
function versionKeyOf({ version, kind, path }: Entry): string {
  return keys.version(version, entryKey(kind, path))
}

function versionOf(key: string): Version {
  return parseVersionKey(key.slice(0, VERSION_KEY_LENGTH))
}

/** All paths of a list after one of them, or from its beginning on. */
async function* pathsAfter(
  place: string | undefined,
  page: (after?: string) => Promise<readonly ImagePath[]>
): AsyncGenerator<ImagePath> {
  for (let after = place; ; ) {
    const paths = await page(after)
    yield* paths
    if (paths.length < PAGE_PATHS) return
    after = paths.at(-1)
  }
}
