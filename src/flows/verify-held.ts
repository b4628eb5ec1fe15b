// Reads held blobs again, and notes of all that are right that they are, in one change of the
// index. That is nearly all of them; whatever is not as it should be is left to verify-blob.ts,
// which alone says that a blob is damaged or missing.
//
// No lock is held: nothing but the time of verification changes, and only where the row still says
// that the file that was read holds the blob.

import type { ContentHash } from '../../protocols/hash.ts'
import type { FileStamp } from '../store/blob-store.ts'
import { sameContentStamp } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'
import type { Verdict } from './verify-blob.ts'

/** Blobs of one group: they share a change of the index. */
export const GROUP_BLOBS_MAX = 16
/** Of larger ones fewer: what a row costs is nothing beside their bytes. */
export const GROUP_BYTES_MAX = 1024 * 1024
/** The verdict on each of those. */
export const RIGHT: Verdict = { state: 'held', changed: false }

/** Those that are held and right. Rejects with the signal's reason, and if the index fails. */
export async function verifyHeld(
  parts: FlowParts,
  hashes: readonly ContentHash[],
  signal: AbortSignal
): Promise<ReadonlySet<ContentHash>> {
  const read = new Map<ContentHash, FileStamp>()
  for (const hash of hashes) {
    signal.throwIfAborted()
    const stamp = await readRight(parts, hash, signal)
    if (stamp !== undefined) read.set(hash, stamp)
  }
  return read.size === 0 ? new Set() : note(parts, read)
}

async function readRight(
  { index, store }: FlowParts,
  hash: ContentHash,
  signal: AbortSignal
): Promise<FileStamp | undefined> {
  if (index.blob(hash)?.state !== 'held') return undefined
  try {
    const read = await store.rehash(hash, signal)
    return read?.hash === hash ? read.stamp : undefined
  } catch {
    signal.throwIfAborted()
    return undefined // what is in its way is found, and said, by who reads it next
  }
}

function note(
  { index }: FlowParts,
  read: ReadonlyMap<ContentHash, FileStamp>
): Promise<ReadonlySet<ContentHash>> {
  return index.change(
    (tx) => {
      const right = new Set<ContentHash>()
      for (const [hash, stamp] of read) {
        const row = tx.blob(hash)
        if (row?.state !== 'held' || !row.stamp || !sameContentStamp(row.stamp, stamp)) continue
        // a link or a rename of ours may have been noted since it was read
        const newer = row.stamp.ctimeMs > stamp.ctimeMs ? row.stamp : stamp
        tx.setBlob(hash, { state: 'held', stamp: newer, verifiedAtMs: tx.nowMs })
        right.add(hash)
      }
      return right
    },
    { durable: false }
  )
}
