// Images that left the index because another node may have deleted and forgotten them (rule 7): a
// person decides for each whether it comes back or goes.

import type { ImagePath } from '../../protocols/path.ts'
import type { FlowParts } from './parts.ts'
import { restore } from './restore.ts'

export type Decision = 'restore' | 'discard'

/**
 * restored: it is live again, as a new version. discarded: it is in the trash now, as if it had
 * been deleted just now. unknown: no such image waits.
 */
export type Decided = 'restored' | 'discarded' | 'unknown'

/** Errors of `restore`. */
export async function decideReview(
  parts: FlowParts,
  path: ImagePath,
  decision: Decision
): Promise<Decided> {
  const { index } = parts
  if (decision === 'restore') {
    const reviewed = index.reviewedAt(path)
    if (reviewed === undefined) return 'unknown'
    await restore(parts, path, reviewed.entry.hash)
    return 'restored'
  }
  return (await index.change((tx) => tx.discardReviewed(path))) ? 'discarded' : 'unknown'
}
