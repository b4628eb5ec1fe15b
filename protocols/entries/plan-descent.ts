// How an exchange goes on at a node of the time tree, once it knows both sides' counts and sums.
// Pure.

import { isEmptyNode, isSameNode, type TreeNode } from '../time-tree-shape.ts'

/**
 * So few entries (16 KiB) cost less than asking for the children (up to 25 KiB) and going on there.
 */
export const WHOLE_ENTRIES_MAX = 64

/**
 * Telling pairs costs 24 bytes an entry: 6 KiB for each child that differs, as going down into it
 * would.
 */
const PAIRS_PER_DIFFERENCE = 256

/**
 * same: nothing to do. send: the other side has nothing here. whole: ask for all entries. descend:
 * look at the sums of the children, or at the pairs.
 */
export type NodePlan = 'same' | 'send' | 'whole' | 'descend'

export function planNode(mine: TreeNode, theirs: TreeNode): NodePlan {
  if (isSameNode(mine, theirs)) return 'same'
  if (isEmptyNode(theirs)) return 'send'
  if (isEmptyNode(mine) || Math.max(sizeOf(mine), sizeOf(theirs)) <= WHOLE_ENTRIES_MAX) {
    return 'whole'
  }
  return 'descend'
}

/** Whether pairs of a whole node are cheaper than going down into so many children that differ. */
export function planPairs(mine: TreeNode, theirs: TreeNode, differing: number): boolean {
  return sizeOf(mine) + sizeOf(theirs) <= differing * PAIRS_PER_DIFFERENCE
}

function sizeOf(node: TreeNode): number {
  return node.live + node.dead
}
