// Past versions in the order in which they ceased to be current.

import { pages } from './pages.ts'
import { readPast } from './read-entry.ts'
import type { PastVersion } from './rows.ts'
import { MS_LENGTH, type Tables } from './tables.ts'

/** `range` is of the keys of table `age`: local times first. */
export async function* readPastBetween(
  { age, past }: Tables,
  range: { gte: string; lt?: string }
): AsyncGenerator<PastVersion> {
  for await (const key of pages(age.keys(range))) {
    const version = readPast(past.getSync(key.slice(MS_LENGTH)))
    if (version !== undefined) yield version
  }
}
