// Deletions are forgotten (rule 6): once they are old, and every member of the mesh is known to
// have them. One that any member may lack is kept, however old it is.

import { bucketAt } from '../../protocols/time-tree-shape.ts'
import { deadBuckets } from '../index/forgetful-tree.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { Transaction } from '../index/transaction.ts'
import { memberDatabases } from './members.ts'
import type { FlowParts } from './parts.ts'

export interface CollectOptions {
  /** Younger deletions are kept in any case. */
  readonly tombstonesKeepMs: number
}

export interface Collected {
  /** Deletions that were forgotten. */
  readonly forgotten: number
  /** Old ones that are kept, because these members (by peer id) may lack some of them. */
  readonly waiting: number
  readonly members: readonly string[]
}

/** Forgets what can be forgotten. */
export async function collect(
  { index, clock }: Pick<FlowParts, 'index' | 'clock'>,
  { tombstonesKeepMs }: CollectOptions,
  signal: AbortSignal
): Promise<Collected> {
  const old = bucketAt(clock.now() - tombstonesKeepMs)
  const before = index.counts().tombstones
  const safe = await index.change((tx) => safeBucket(tx, old), { durable: false })
  for await (const bucket of deadBuckets(index.tree, safe)) {
    if (bucket >= index.horizon()) await raiseHorizon(index, bucket, old)
    let row: string | undefined
    do {
      signal.throwIfAborted()
      row = await index.change(
        async (tx) =>
          // an entry that came meanwhile may have lowered it
          bucket < tx.shared.horizon && bucket < (await safeBucket(tx, old))
            ? tx.forgetTombstones(bucket, row)
            : undefined,
        { durable: false }
      )
    } while (row !== undefined)
  }
  return {
    forgotten: before - index.counts().tombstones,
    ...(await index.change((tx) => whatWaits(tx, old), { durable: false }))
  }
}

/**
 * Before the first of them goes, who asks must not be told less. Not above them: an index that has
 * forgotten nothing, as a new one, takes in whatever others have.
 */
async function raiseHorizon(index: ImageIndex, bucket: number, old: number): Promise<void> {
  await index.change(async (tx) => {
    if (bucket < (await safeBucket(tx, old))) tx.shared.raiseHorizon(bucket + 1)
  })
}

async function whatWaits(tx: Transaction, old: number): Promise<Omit<Collected, 'forgotten'>> {
  const { dead } = await tx.shared.sums(old, 0)
  if (dead === 0) return { waiting: 0, members: [] }
  const members = [...(await memberDatabases(tx))]
  const lacks = ([id, database]: readonly [string, string | undefined]) =>
    tx.shared.commonUntil(new Map([[id, database]])) < old
  return { waiting: dead, members: members.filter(lacks).map(([id]) => id) }
}

/** Tombstones in buckets below it are old, and every member has them. */
async function safeBucket(tx: Transaction, old: number): Promise<number> {
  return Math.min(old, tx.shared.commonUntil(await memberDatabases(tx)))
}
