// Bytes in the trash that wait for a person to decide on them. They don't grow old, so they must
// not push out what does: else nothing that is deleted could be restored any more.

import type { ContentHash } from '../../protocols/hash.ts'
import type { FlowParts } from './parts.ts'

/** Counted anew where the number of such images has changed. */
export function countReviewedBytes({ index }: Pick<FlowParts, 'index'>): () => Promise<number> {
  let known = { images: 0, bytes: 0 }
  return async () => {
    const { reviewImages: images } = index.counts()
    if (images === known.images) return known.bytes
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
    return bytes
  }
}
