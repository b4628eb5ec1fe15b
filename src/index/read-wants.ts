// The blobs that this node lacks, in the order of what wants them.

import type { ContentHash } from '../../protocols/hash.ts'
import { pages } from './pages.ts'
import { type Tables, VERSION_LENGTH } from './tables.ts'

/** Rows of the table `want`, both ends included, oldest first or newest first. */
export interface WantRange {
  readonly from?: string
  readonly upTo?: string
  readonly newestFirst?: boolean
}

/** See ImageIndex.wants. */
export async function* readWants(
  { want }: Tables,
  { from = '', upTo = 'g', newestFirst = false }: WantRange = {}
): AsyncGenerator<ContentHash> {
  const keys = want.keys({ gte: from, lte: upTo, reverse: newestFirst })
  for await (const key of pages(keys)) yield key.slice(VERSION_LENGTH) as ContentHash
}
