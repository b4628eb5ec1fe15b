// How an exchange goes on at a node of the time tree, once it knows both sides' counts and sums.
// Pure.

import { isEmptyNode, isSameNode, type TreeNode } from '../time-tree-shape.ts'

/** So few entries (names of 1.5 KiB) cost less than asking for the children (up to 25 KiB). */
export const FEW_ENTRIES_MAX = 64

/**
 * Telling pairs costs 24 bytes an entry: 6 KiB for each child that differs, as going down into it
 * would.
 */
const PAIRS_PER_DIFFERENCE = 256

/**
 * same: nothing to do. send: the other side has nothing here. whole: ask for all entries. pairs:
 * ask for the names of all, then for what is missing. descend: look at the sums of the children.
 */
export type NodePlan = 'same' | 'send' | 'whole' | 'pairs' | 'descend'

/** `isLeaf`: there are no children. */
export function planNode(mine: TreeNode, theirs: TreeNode, isLeaf: boolean): NodePlan {
  if (isSameNode(mine, theirs)) return 'same'
  if (isEmptyNode(theirs)) return 'send'
  if (isEmptyNode(mine)) return 'whole'
  if (!isLeaf && Math.max(sizeOf(mine), sizeOf(theirs)) > FEW_ENTRIES_MAX) return 'descend'
  // where most of them are missing, all of them cost less than names and then entries
  return 2 * sizeOf(mine) < sizeOf(theirs) ? 'whole' : 'pairs'
}

/** Whether pairs of a whole node are cheaper than going down into so many children that differ. */
export function planPairs(mine: TreeNode, theirs: TreeNode, differing: number): boolean {
  return sizeOf(mine) + sizeOf(theirs) <= differing * PAIRS_PER_DIFFERENCE
}

/** Entries below it. */
export function sizeOf(node: TreeNode): number {
  return node.live + node.dead
}
