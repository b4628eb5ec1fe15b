// Past versions: of one path, or in the order in which they ceased to be current.

import { KIND_IMAGE } from '../../protocols/entry.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { pages } from './pages.ts'
import { readPast } from './read-entry.ts'
import type { PastVersion } from './rows.ts'
import { endOf, entryKey, MS_LENGTH, type Tables } from './tables.ts'

/** Of a path, newest first. */
export async function* readPastOf(
  { past }: Tables,
  path: ImagePath,
  limit: number
): AsyncGenerator<PastVersion> {
  const prefix = `${entryKey(KIND_IMAGE, path)}\0`
  const rows = past.values({ gte: prefix, lt: endOf(prefix), reverse: true, limit })
  for await (const bytes of pages(rows)) {
    const version = readPast(bytes)
    if (version !== undefined) yield version
  }
}

export interface PlacedVersion {
  readonly version: PastVersion
  /** Of the list, to go on after it. */
  readonly place: string
}

/** `range` is of the keys of table `age`: local times first. */
export async function* readPastBetween(
  { age, past }: Tables,
  range: { gte?: string; gt?: string; lt?: string; reverse?: boolean }
): AsyncGenerator<PlacedVersion> {
  for await (const place of pages(age.keys(range))) {
    const version = readPast(past.getSync(place.slice(MS_LENGTH)))
    if (version !== undefined) yield { version, place }
  }
}
