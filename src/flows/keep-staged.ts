// Staged bytes become an image of this node: published, then named by an entry, so that a crash
// anywhere in between leaves either the image or nothing.

import type { ContentHash } from '../../protocols/hash.ts'
import { NodeError } from '../base/errors.ts'
import { isDamage } from '../index/database-error.ts'
import type { Transaction } from '../index/transaction.ts'
import { type FileStamp, type StagedBlob, sameStamp } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'
import { keepsUnnamed } from './sweep-unnamed.ts'
import { verifyLocked } from './verify-blob.ts'

/**
 * Publishes the bytes and runs `plan`, which names them by an entry, in one change. The staged blob
 * is finished afterwards, whatever happens; what `plan` throws leaves nothing behind. `healed`:
 * live images had lost these bytes.
 */
export async function keepStaged<T extends object>(
  parts: FlowParts,
  staged: StagedBlob,
  plan: (tx: Transaction) => T | Promise<T>
): Promise<T & { readonly healed: boolean }> {
  let isInDoubt = false
  try {
    return await parts.locks.blob.run(staged.hash, () => keep(parts, staged, plan))
  } catch (error) {
    isInDoubt = error instanceof InDoubt
    throw error instanceof InDoubt ? error.cause : error
  } finally {
    if (!isInDoubt) parts.store.finish(staged)
    parts.failPoints.reach('publish:cleaned')
  }
}

/** Bytes and entry, under the lock of the blob. */
async function keep<T extends object>(
  parts: FlowParts,
  staged: StagedBlob,
  plan: (tx: Transaction) => T | Promise<T>
): Promise<T & { readonly healed: boolean }> {
  const { index, store } = parts
  const { hash } = staged
  if (index.fault !== undefined) throw index.fault
  parts.blocks.require(hash)
  parts.brakes.requireDisk()
  const isUnnamed = index.blob(hash) === undefined && store.placeOf(hash) !== undefined
  const { stamp, published } = await holdBytes(parts, staged)
  // others may have come to name the blob while its bytes were written
  const isLive = (tx: Transaction) => (tx.blob(hash)?.live ?? 0) > 0
  const hold = async (tx: Transaction, wasLive = isLive(tx)) => {
    tx.setBlob(hash, { state: 'held', stamp, ...(published && { verifiedAtMs: tx.nowMs }) })
    if (published && wasLive) await tx.intendViews(hash)
  }
  try {
    return await index.change(async (tx) => {
      const wasLive = isLive(tx)
      const planned = await plan(tx)
      await hold(tx, wasLive)
      return { ...planned, healed: published && wasLive }
    })
  } catch (cause) {
    if (isOfIndex(cause)) throw new InDoubt('the bytes stay', { cause })
    // they were here before, and others may name them again
    if (isUnnamed && keepsUnnamed(index)) throw cause
    await giveBack(parts, hash, published ? (tx) => hold(tx) : undefined).catch(() => {
      throw new InDoubt('the bytes stay', { cause })
    })
    throw cause
  }
}

/**
 * The index or the disk failed, and the image may be there after the next start, or not. So its
 * bytes stay, and their temporary name, by which that start looks after them.
 */
class InDoubt extends Error {}

/** What it fails with may be over by now. */
function isOfIndex(cause: unknown): boolean {
  const codes = ['DISK_FAULT', 'DISK_FULL']
  return isDamage(cause) || (cause instanceof NodeError && codes.includes(cause.code))
}

/** The change was refused: the bytes go, unless they are what the node had lost. */
async function giveBack(
  { index, store, settler }: FlowParts,
  hash: ContentHash,
  hold: ((tx: Transaction) => Promise<void>) | undefined
): Promise<void> {
  if (index.fault !== undefined) throw index.fault
  if (index.blob(hash) === undefined) return store.remove(hash)
  if (hold === undefined) return settler.settleBlobLater(hash)
  await index.change(hold)
  settler.settleEverywhereLater(hash)
}

/** Sees to it that the bytes are durably in blobs/; right ones are not written again. */
async function holdBytes(
  parts: FlowParts,
  staged: StagedBlob
): Promise<{ stamp: FileStamp; published: boolean }> {
  const { hash } = staged
  await parts.settler.recall(hash)
  const stamp = trustedStamp(parts, hash)
  if (stamp !== undefined) return { stamp, published: false }
  const { changed } = await verifyLocked(parts, hash)
  const verified = trustedStamp(parts, hash)
  if (verified !== undefined) {
    if (changed) parts.settler.settleEverywhereLater(hash)
    return { stamp: verified, published: false }
  }
  return { stamp: await parts.store.publish(staged), published: true }
}

/** The stamp of the blob's file if it is as it was when it was verified. */
function trustedStamp(
  { index, store, settler }: FlowParts,
  hash: ContentHash
): FileStamp | undefined {
  const row = index.blob(hash)
  const stamp = row?.state === 'held' ? store.stamp(hash) : undefined
  const known = [row?.stamp, settler.freshStamp(hash)]
  return stamp && known.some((one) => one && sameStamp(stamp, one)) ? stamp : undefined
}
