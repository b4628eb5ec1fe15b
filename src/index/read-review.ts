// Images that were put to review, in the order of their paths (rule 7).

import type { ImagePath } from '../../protocols/path.ts'
import { pages } from './pages.ts'
import { readPast } from './read-entry.ts'
import type { ReviewedImage, ReviewRow } from './rows.ts'
import type { Tables } from './tables.ts'

/** Paths, also where the disk has changed what was there. */
export function readReviewedPaths({ review }: Tables, after?: string): AsyncGenerator<ImagePath> {
  const range = after === undefined ? {} : { gt: after }
  return pages(review.keys(range)) as AsyncGenerator<ImagePath>
}

export async function* readReviewed(tables: Tables, after?: string): AsyncGenerator<ReviewedImage> {
  for await (const path of readReviewedPaths(tables, after)) {
    const image = readReviewedAt(tables, path)
    if (image !== undefined) yield image
  }
}

export function readReviewedAt({ review, past }: Tables, path: string): ReviewedImage | undefined {
  const row = review.getSync(path) as ReviewRow | undefined
  const version = row && readPast(past.getSync(row.past))
  return row && version && { entry: version.entry, from: row.from, atMs: row.atMs }
}
