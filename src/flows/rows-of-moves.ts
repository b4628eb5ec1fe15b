// What is written of a blob when its file was found elsewhere, otherwise, or not at all.

import type { ContentHash } from '../../protocols/hash.ts'
import type { Transaction } from '../index/transaction.ts'
import { type FileStamp, sameContentStamp } from '../store/blob-store.ts'

/** Its file was not found, or is not right. */
export async function lose(tx: Transaction, hash: ContentHash): Promise<void> {
  tx.setBlob(hash, { state: 'missing', reason: 'its file is gone, or has other bytes' })
  await tx.intendViews(hash)
}

/**
 * Takes over a ctime that our own link or rename changed, as long as nothing else about the file
 * has changed.
 */
export function restamp(tx: Transaction, hash: ContentHash, stamp: FileStamp | undefined): void {
  const row = tx.blob(hash)
  if (row?.stamp === undefined || stamp === undefined) return
  if (row.state === 'held' && sameContentStamp(row.stamp, stamp)) {
    tx.setBlob(hash, { state: 'held', stamp })
  }
}
