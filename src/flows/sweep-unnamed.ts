// Files in blobs/ and trash/ that no row of the index names: a power cut can take the note of a
// blob that was being taken in, and keep its file. Nobody was ever told of them. They are looked
// for after a start that follows a crash, and at the end of each scrub. Where an image names one
// whose row is gone, the index is damaged, and the file is kept until that is mended.
//
// An index that was lost leaves all its files without a name. They are what a backup, other servers
// or images/ name again, however long that takes, so nothing is ever swept in such a folder.

import type { FlowParts } from './parts.ts'

/** A younger file may still get its row. */
export const AGE_MS_MIN = 60 * 60_000

const UNNAMED = 'unnamed'

/** For an index that is new: what is in the folder before it has written anything is kept. */
export async function keepUnnamed({ index, store }: Pick<FlowParts, 'index' | 'store'>) {
  for await (const _ of store.list()) {
    await index.change((tx) => tx.setMeta(UNNAMED, 'kept'))
    return
  }
}

/** Removes those that were there before `beforeMs`; how many. */
export async function sweepUnnamed(
  { index, store, locks }: Pick<FlowParts, 'index' | 'store' | 'locks'>,
  beforeMs: number,
  signal: AbortSignal
): Promise<number> {
  if (index.meta(UNNAMED) === 'kept') return 0
  let removed = 0
  for await (const hash of store.list()) {
    if (signal.aborted) break
    if (index.blob(hash) !== undefined || (await index.pathsOf(hash, 1)).length > 0) continue
    await locks.blob.run(hash, async () => {
      const ctimeMs = store.stamp(hash)?.ctimeMs ?? 0
      if (index.blob(hash) !== undefined || ctimeMs >= beforeMs) return
      await store.remove(hash)
      removed++
    })
  }
  return removed
}
