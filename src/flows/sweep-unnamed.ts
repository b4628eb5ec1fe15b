// Files in blobs/ and trash/ that no row of the index names: a power cut can take the note of a
// blob that was being taken in, and keep its file. Nobody was ever told of them. They are looked
// for after a start that follows a crash, and at the end of each scrub. Where an image names one
// whose row is gone, the index is damaged, and the file is kept until that is mended.
//
// An index that was lost, or is an older one from a backup, leaves very many files without a name.
// They are what other servers, images/ or a person name again, however long that takes, so nothing
// is ever swept in such a folder.

import { isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { Transaction } from '../index/transaction.ts'
import type { FlowParts } from './parts.ts'

/** A younger file may still get its row. */
export const AGE_MS_MIN = 60 * 60_000

/** More than can be under way when the power is cut. */
export const UNNAMED_MAX = 1024

const UNNAMED = 'unnamed'

/** For an index that is new: what is in the folder before it has written anything is kept. */
export async function keepUnnamed({ index, store }: Pick<FlowParts, 'index' | 'store'>) {
  for await (const _ of store.list()) {
    await index.change(keepAllUnnamed)
    return
  }
}

/** For an index that has lost rows. */
export function keepAllUnnamed(tx: Transaction): void {
  tx.setMeta(UNNAMED, 'kept')
}

/** Whether blobs without a row are what others may name again. */
export function keepsUnnamed(index: Pick<FlowParts['index'], 'meta'>): boolean {
  return index.meta(UNNAMED) === 'kept'
}

/** Removes those that were there before `beforeMs`, or keeps them for good if they are too many. */
export async function sweepUnnamed(
  parts: Pick<FlowParts, 'index' | 'store' | 'locks' | 'log'>,
  beforeMs: number,
  signal: AbortSignal
): Promise<number> {
  const { index, store, locks, log } = parts
  if (keepsUnnamed(index)) return 0
  const { openings } = index.upkeep
  const found = await findUnnamed(parts, beforeMs, signal)
  if (found.length > UNNAMED_MAX) {
    await index.change(keepAllUnnamed)
    log.error('the index names very many files of blobs/ no more: is it an old one? They are kept')
    return 0
  }
  let removed = 0
  for (const hash of found) {
    if (signal.aborted) break
    await locks.blob.run(hash, async () => {
      if (index.upkeep.openings !== openings) return // it may have lost rows since
      if (index.blob(hash) !== undefined || !isBefore(store, hash, beforeMs)) return
      await store.remove(hash)
      removed++
    })
  }
  return removed
}

/**
 * One more than may be removed at most. There are hardly ever any: only then are all images looked
 * at, since a row that is gone took the path of its blob with it.
 */
async function findUnnamed(
  { index, store }: Pick<FlowParts, 'index' | 'store'>,
  beforeMs: number,
  signal: AbortSignal
): Promise<readonly ContentHash[]> {
  const found = new Set<ContentHash>()
  for await (const hash of store.list()) {
    if (signal.aborted || found.size > UNNAMED_MAX) break
    if (index.blob(hash) === undefined && isBefore(store, hash, beforeMs)) found.add(hash)
  }
  if (found.size === 0 || found.size > UNNAMED_MAX) return [...found]
  for await (const hash of namedHashes(index)) {
    if (signal.aborted) return []
    found.delete(hash)
  }
  return [...found]
}

/** By images, whether blobs have rows or not. */
async function* namedHashes(index: FlowParts['index']): AsyncGenerator<ContentHash> {
  for await (const { hash } of index.list()) yield hash
  for await (const { entry } of index.reviewed()) if (isImage(entry)) yield entry.hash
  for await (const { version } of index.pastSince(0)) {
    if (isImage(version.entry)) yield version.entry.hash
  }
}

function isBefore(store: FlowParts['store'], hash: ContentHash, beforeMs: number): boolean {
  return (store.stamp(hash)?.ctimeMs ?? 0) < beforeMs
}
