// Entries in the order of their versions.

import type { Entry } from '../../protocols/entry.ts'
import { type Version, versionKey } from '../../protocols/version.ts'
import { wholePages } from './pages.ts'
import { readEntry } from './read-entry.ts'
import type { Tables } from './tables.ts'
import { rawsOf } from './tree-reader.ts'
import type { VersionRow } from './version-encoding.ts'

/** Newest first before a version, or from the newest on; or oldest first from a version on. */
export type VersionRange = { readonly before?: Version } | { readonly since: Version }

export async function* readByVersion(tables: Tables, range: VersionRange): AsyncGenerator<Entry> {
  const bounds =
    'since' in range
      ? { gte: versionKey(range.since) }
      : { ...(range.before !== undefined && { lt: versionKey(range.before) }), reverse: true }
  for await (const rows of wholePages(tables.version.values(bounds))) {
    for (const raw of await rawsOf(tables, rows as VersionRow[])) {
      const entry = readEntry(raw)
      if (entry !== undefined) yield entry
    }
  }
}
