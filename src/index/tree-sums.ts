// Sums over everything below a bucket, from the nodes of the time tree: at most 256 nodes of each
// of the two lower levels, and one for each 50 days.

import {
  bucketStartMs,
  EMPTY_NODE,
  LEAF_LEVEL,
  type TreeNode,
  treeKey,
  versionsOf
} from '../../protocols/time-tree-shape.ts'
import { versionMs } from '../../protocols/version.ts'
import type { Rows } from './rows-read.ts'

const SUM_BITS = 256
/** Nodes of one level in one parent. */
const SIBLINGS_MAX = 2 ** 16

/** Counts and sums of all entries in buckets below `bucket`. */
export async function sumBelow(rows: Rows, bucket: number): Promise<TreeNode> {
  let sum = EMPTY_NODE
  const endMs = bucketStartMs(bucket)
  for (let level = 1; level <= LEAF_LEVEL; level++) {
    const parent = versionsOf(treeKey(level - 1, Math.min(endMs, bucketStartMs(2 ** 32 - 1))))
    const gte = treeKey(level, versionMs(parent.first))
    const lt = treeKey(level, endMs)
    for (const key of await rows.keys('tree', { gte, lt, limit: SIBLINGS_MAX })) {
      sum = added(sum, rows.get('tree', key) as TreeNode)
    }
  }
  return sum
}

/** The same, without the tombstones in buckets below the horizon. */
export async function sumBetween(rows: Rows, horizon: number, cut: number): Promise<TreeNode> {
  const all = await sumBelow(rows, cut)
  const forgotten = await sumBelow(rows, Math.min(horizon, cut))
  return withoutDead(all, forgotten)
}

/** Without the tombstones of a part of it. */
export function withoutDead(all: TreeNode, part: TreeNode): TreeNode {
  return {
    ...all,
    dead: all.dead - part.dead,
    deadSum: BigInt.asUintN(SUM_BITS, all.deadSum - part.deadSum)
  }
}

function added(a: TreeNode, b: TreeNode): TreeNode {
  return {
    live: a.live + b.live,
    dead: a.dead + b.dead,
    liveSum: BigInt.asUintN(SUM_BITS, a.liveSum + b.liveSum),
    deadSum: BigInt.asUintN(SUM_BITS, a.deadSum + b.deadSum)
  }
}
