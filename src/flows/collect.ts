// Deletions are forgotten (rule 6): once they are old, and every member of the mesh is known to
// have them. One that any member may lack is kept, however old it is.

import { bucketAt } from '../../protocols/time-tree-shape.ts'
import { deadBuckets } from '../index/forgetful-tree.ts'
import type { Transaction } from '../index/transaction.ts'
import { memberDatabases } from './members.ts'
import type { FlowParts } from './parts.ts'

export interface CollectOptions {
  /** Younger deletions are kept in any case. */
  readonly tombstonesKeepMs: number
}

/** Forgets what can be forgotten; returns how many deletions. */
export async function collect(
  { index, clock }: Pick<FlowParts, 'index' | 'clock'>,
  { tombstonesKeepMs }: CollectOptions,
  signal: AbortSignal
): Promise<number> {
  const old = bucketAt(clock.now() - tombstonesKeepMs)
  const before = index.counts().tombstones
  // before the first of them goes: who asks must not be told less
  const upTo = await index.change(async (tx) => {
    const safe = await safeBucket(tx, old)
    tx.shared.raiseHorizon(safe)
    return safe
  })
  for await (const bucket of deadBuckets(index.tree, upTo)) {
    let row: string | undefined
    do {
      if (signal.aborted) return before - index.counts().tombstones
      row = await index.change(
        async (tx) =>
          // an entry that came meanwhile may have lowered it
          bucket < (await safeBucket(tx, old)) ? tx.forgetTombstones(bucket, row) : undefined,
        { durable: false }
      )
    } while (row !== undefined)
  }
  return before - index.counts().tombstones
}

/** Tombstones in buckets below it are old, and every member has them. */
async function safeBucket(tx: Transaction, old: number): Promise<number> {
  return Math.min(old, tx.shared.commonUntil(await memberDatabases(tx)))
}
