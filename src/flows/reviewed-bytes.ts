// Bytes in the trash that wait for a person to decide on them. They don't grow old, so they must
// not push out what does: else nothing that is deleted could be restored any more.

import type { ContentHash } from '../../protocols/hash.ts'
import type { FlowParts } from './parts.ts'

/**
 * For so many times as long as a count took, those that are decided meanwhile still count: else a
 * million of them, of which some are decided all the time, would be counted all the time.
 */
const REST_FACTOR = 20

/** Counted anew where the number of such images has changed; for a while it may be too much. */
export function countReviewedBytes({
  index,
  clock
}: Pick<FlowParts, 'index' | 'clock'>): () => Promise<number> {
  let known = { images: 0, bytes: 0 }
  let restsUntilMs = Number.NEGATIVE_INFINITY
  return async () => {
    const { reviewImages: images } = index.counts()
    const beganMs = clock.monotonicMs()
    if (images === known.images) return known.bytes
    if (images > 0 && images < known.images && beganMs < restsUntilMs) return known.bytes
    const seen = new Set<string>()
    let bytes = 0
    for await (const { entry } of index.reviewed()) {
      const hash = entry.hash as ContentHash
      const blob = index.blob(hash)
      // one that is still in its place is on its way to the trash
      const isInTrash = blob?.live === 0 && (blob.state === 'trashed' || blob.state === 'held')
      if (seen.has(hash) || !isInTrash) continue
      seen.add(hash)
      bytes += blob.bytes
    }
    known = { images, bytes }
    const nowMs = clock.monotonicMs()
    restsUntilMs = nowMs + (nowMs - beganMs) * REST_FACTOR
    return bytes
  }
}
