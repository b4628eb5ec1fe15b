// Re-reads one blob and says what it is. The only place that declares bytes damaged or missing.

import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { NodeError } from '../base/errors.ts'
import type { BlobRow, BlobState } from '../index/rows.ts'
import type { Rehash } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'

export interface Verdict {
  readonly state: BlobState
  /** What the bytes hash to, where there are bytes that are not right. */
  readonly actual?: { readonly hash: ContentHash; readonly md5: Md5 } | undefined
  /** Why it is not held, for a person. */
  readonly reason?: string | undefined
  /** The server whose bytes have taken their place. */
  readonly repairedFrom?: string | undefined
  /** Set if this check changed what was believed. */
  readonly changed: boolean
}

/** A file that is written while it is read is read again, this often. */
const READS_MAX = 3

/**
 * Verifies a blob that live entries name. Right bytes are stamped anew; wrong ones go to
 * quarantine, out of the view and of every reader's reach. Nothing is decided from an old report:
 * what counts is what is read here and now.
 */
export async function verifyBlob(
  parts: FlowParts,
  hash: ContentHash,
  signal?: AbortSignal
): Promise<Verdict> {
  const { index, locks, settler } = parts
  const verdict = await locks.blob.run(hash, () => verifyLocked(parts, hash, signal))
  if (verdict.state === 'trashed' && (index.blob(hash)?.live ?? 0) > 0) {
    await settler.settleBlob(hash) // a restore has just called it back
    return verifyBlob(parts, hash, signal)
  }
  if (verdict.changed) await settler.settleViews(hash)
  // while its disk is in doubt nothing that comes would be kept
  if (isLost(verdict) && parts.brakes.engaged('loss') === undefined) {
    const repairedFrom = await parts.remote?.fetch(hash)
    if (repairedFrom !== undefined) return { ...verdict, repairedFrom }
  }
  return verdict
}

function isLost({ state }: Verdict): boolean {
  return state === 'damaged' || state === 'missing' || state === 'wanted'
}

/** The same for whoever holds the lock of the blob; the view is then theirs to bring up to date. */
export async function verifyLocked(
  parts: FlowParts,
  hash: ContentHash,
  signal?: AbortSignal
): Promise<Verdict> {
  const row = parts.index.blob(hash)
  if (row === undefined || row.live === 0 || ['trashed', 'blocked'].includes(row.state)) {
    return { state: row?.state ?? 'wanted', changed: false }
  }
  const verdict = await decide(parts, hash, row, await rehash(parts, hash, signal))
  if (verdict.changed) report(parts, hash, verdict, row)
  return verdict
}

async function rehash(
  { store }: FlowParts,
  hash: ContentHash,
  signal: AbortSignal | undefined
): Promise<Rehash | 'unreadable' | undefined> {
  for (let n = 0; n < READS_MAX; n++) {
    try {
      const read = await readAnywhere(store, hash, signal)
      if (read === undefined || read.stamp !== undefined || read.hash !== hash) return read
    } catch (error) {
      if (!(error instanceof NodeError) || error.code !== 'DISK_FAULT') throw error
      return 'unreadable'
    }
  }
  return 'unreadable'
}

/** An index of before a deletion does not know that the file went to the trash. */
async function readAnywhere(
  store: FlowParts['store'],
  hash: ContentHash,
  signal: AbortSignal | undefined
): Promise<Rehash | undefined> {
  const read = await store.rehash(hash, signal)
  if (read !== undefined || store.placeOf(hash) !== 'trash') return read
  await store.moveTo(hash, 'blobs')
  return store.rehash(hash, signal)
}

async function decide(
  parts: FlowParts,
  hash: ContentHash,
  row: BlobRow,
  read: Rehash | 'unreadable' | undefined
): Promise<Verdict> {
  if (
    read !== undefined &&
    read !== 'unreadable' &&
    read.hash === hash &&
    read.stamp !== undefined
  ) {
    const { stamp } = read
    const changed = row.state !== 'held'
    // where a crash has left it, or a person has put it, nobody has waited for the disk
    if (changed) await parts.store.makeDurable(hash)
    await parts.index.change(
      async (tx) => {
        if (tx.blob(hash) === undefined) return
        tx.setBlob(hash, { state: 'held', stamp, verifiedAtMs: tx.nowMs })
        if (changed) await tx.intendViews(hash)
      },
      { durable: changed }
    )
    return { state: 'held', changed }
  }
  if (read === undefined && row.state === 'held' && !(await parts.brakes.lose(hash))) {
    return { state: 'missing', reason: 'its disk is in doubt', changed: false }
  }
  const lost = await lose(parts, hash, row, read)
  if (lost.state === row.state) return { ...lost, changed: false } // known already
  await parts.index.change(async (tx) => {
    if (tx.blob(hash) === undefined) return
    tx.setBlob(hash, { state: lost.state, reason: lost.reason })
    await tx.intendViews(hash)
  })
  return { ...lost, changed: row.state === 'held' || row.state === 'trashed' }
}

async function lose(
  { store }: FlowParts,
  hash: ContentHash,
  row: BlobRow,
  read: Rehash | 'unreadable' | undefined
): Promise<{ state: BlobState; reason: string; actual?: Verdict['actual'] }> {
  if (read === undefined) {
    return row.state === 'held' || row.state === 'trashed'
      ? { state: 'missing', reason: 'its file is gone from the disk' }
      : { state: row.state, reason: row.reason ?? 'it has not arrived yet' }
  }
  const kept = await store.quarantine(hash)
  const where = kept === undefined ? '' : ` (kept as quarantine/${kept})`
  return read === 'unreadable'
    ? { state: 'damaged', reason: `the disk can't read its file${where}` }
    : {
        state: 'damaged',
        reason: `its file holds other bytes, ${read.bytes} of them${where}`,
        actual: read.md5 && { hash: read.hash, md5: read.md5 }
      }
}

function report(
  { log, journal }: FlowParts,
  hash: ContentHash,
  verdict: Verdict,
  { bytes, state: before }: BlobRow
): void {
  const { state, reason } = verdict
  if (state === 'held' && before === 'wanted') {
    // a crash between its last byte and its row, or an index that was lost: nothing was wrong
    log.debug({ hash }, 'a blob that was to be fetched is here already')
  } else if (state === 'held') {
    log.debug({ hash, was: before }, 'a blob that was lost is right again')
    journal.add('healed', { sha256: hash })
  } else {
    log.error({ hash, bytes, reason }, `a blob is ${state}: it is not served any more`)
    journal.add(state === 'damaged' ? 'damaged' : 'missing', { sha256: hash, note: reason ?? '' })
  }
}
