// What the entries protocol needs of the index that it tells of.

import type { Entry } from '../entry.ts'
import type { TreeKey, TreeNode } from '../time-tree-shape.ts'
import type { EntryRef } from './entry-ref.ts'

/** A node below another, by its place among that one's children. */
export interface TreeChild {
  readonly index: number
  readonly node: TreeNode
}

/** Buckets of 65 s (milliseconds >> 16), both ends included. */
export interface WantRange {
  readonly from: number
  readonly to: number
}

/** What a node says of itself as a whole. */
export interface EntriesStatus {
  readonly root: TreeNode
  /** Blobs that it should hold and does not, durably. */
  readonly wantsFiles: number
  readonly wantsBytes: number
  /** The buckets that still contain such a blob: ascending, disjoint, at most WANT_RANGES_MAX. */
  readonly wantRanges: readonly WantRange[]
}

/**
 * The part of the index that two nodes compare. Reads see what is durable, each as of its own
 * moment.
 */
export interface ComparedEntries {
  /** Counts and sums below a node; EMPTY_NODE where nothing is. */
  node(key: TreeKey): TreeNode | Promise<TreeNode>
  /**
   * Children that are not empty, highest index first; only those below `before` if it is given.
   * Not asked of nodes of the lowest level.
   */
  children(key: TreeKey, before?: number): AsyncIterable<TreeChild>
  /** Refs of the current entries below a node, newest first; only those below `before` if given. */
  pairs(key: TreeKey, before?: EntryRef): AsyncIterable<EntryRef>
  /** The authors' bytes of the same entries in the same order. */
  range(key: TreeKey, before?: EntryRef): AsyncIterable<Uint8Array>
  /** The authors' bytes of those entries that are still current, in the order of their refs. */
  fetch(refs: readonly EntryRef[]): Promise<readonly Uint8Array[]>
}

/** Each method may throw StatusError to choose the answer; anything else ends the stream. */
export interface EntriesSource extends ComparedEntries {
  /**
   * Merges entries, passes on what was new to nodes other than `sentTo` and `from`, and resolves
   * once all of it is durable.
   */
  push(entries: readonly Entry[], sentTo: readonly string[], from: string): Promise<void>
  status(): EntriesStatus | Promise<EntriesStatus>
}
