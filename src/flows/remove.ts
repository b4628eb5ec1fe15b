// An image is deleted: its path answers "gone", its bytes go to the trash, or away at once when
// asked to.

import { type Entry, type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Transaction } from '../index/transaction.ts'
import type { FlowParts } from './parts.ts'

export interface Removed {
  readonly path: ImagePath
  /**
   * deleted: was live. purged: was deleted already, and its bytes are freed now. unexpected: it is
   * not the one that was meant, and as it was.
   */
  readonly outcome: 'deleted' | 'purged' | 'gone' | 'unknown' | 'unexpected'
  /** Local time until which it can be restored; undefined if it can't. */
  readonly recoverableUntilMs?: number | undefined
  /** Whether other paths name the same bytes, which stay for them. */
  readonly isShared: boolean
}

export interface RemoveOrder {
  /** No earlier version is kept either. */
  readonly purge?: boolean
  /** Whether what is there now, or nothing, is what was meant to be deleted. */
  readonly isMeant?: (image: ImageEntry | undefined) => boolean
}

/** Deletes one path. Errors: BRAKE_ENGAGED. */
export async function remove(
  parts: FlowParts,
  { trashKeepMs }: { trashKeepMs: number },
  path: ImagePath,
  { purge = false, isMeant = () => true }: RemoveOrder = {}
): Promise<Removed> {
  const { index, settler, journal, brakes } = parts
  brakes.requireChanges()
  const { outcome, freed, entry } = await index.change((tx) => take(tx, path, purge, isMeant))
  await settler.settleView(path)
  for (const hash of freed) {
    if (purge) await settler.settleBlob(hash)
    else settler.settleBlobLater(hash)
  }
  if (outcome === 'deleted') journal.add('deleted', { path, ...(purge && { note: 'purged' }) })
  const kept = entry !== undefined && !purge
  const own = entry?.hash === undefined ? freed : [entry.hash]
  return {
    ...{ path, outcome },
    recoverableUntilMs: kept ? parts.clock.now() + trashKeepMs : undefined,
    isShared: own.some((hash) => (index.blob(hash)?.live ?? 0) > 0)
  }
}

async function take(
  tx: Transaction,
  path: ImagePath,
  purge: boolean,
  isMeant: NonNullable<RemoveOrder['isMeant']>
): Promise<{ outcome: Removed['outcome']; freed: ContentHash[]; entry: Entry | undefined }> {
  const before = tx.get(path)
  const live = isImage(before)
  if ((live || (purge && before !== undefined)) && !isMeant(live ? before : undefined)) {
    return { outcome: 'unexpected', freed: [], entry: undefined }
  }
  if (live) tx.deleteImage(path)
  const freed = new Set<ContentHash>(live ? [before.hash] : [])
  let purged = 0
  if (purge) {
    for await (const version of tx.pastOf(path)) {
      tx.dropPast(version)
      if (version.entry.hash !== undefined) freed.add(version.entry.hash)
      purged++
    }
  }
  const outcome = live
    ? 'deleted'
    : purged > 0
      ? 'purged'
      : before === undefined
        ? 'unknown'
        : 'gone'
  return { outcome, freed: [...freed], entry: live ? before : undefined }
}
