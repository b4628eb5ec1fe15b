// What the entries protocol needs of the index that it tells of.

import type { Entry } from '../entry.ts'
import type { ImagePath } from '../path.ts'
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
  /** Tombstones of images in buckets below this one may have been collected there. */
  readonly horizon: number
  /** Undefined where nothing is said of it. */
  readonly disk?: DiskTold | undefined
}

/** Whether a disk takes images; in the order of their numbers on the wire. */
export const DISK_STATES = ['ok', 'low', 'full'] as const

export interface DiskTold {
  readonly state: (typeof DISK_STATES)[number]
  /** Since then, or since the node has started. */
  readonly sinceMs: number
}

/** What a node knows of a third one: that it has everything below this bucket. */
export interface Vouch {
  readonly member: string
  readonly database: string
  readonly until: number
}

/** What a node has against images that it was offered, and the past that it shares with others. */
export interface Verdict {
  /** Those that it may have deleted and forgotten. */
  readonly refs: readonly EntryRef[]
  /** The database of the node. */
  readonly database: string
  readonly vouches: readonly Vouch[]
  /** Deletions of others that the comparison does not show: one batch at most, the rest later. */
  readonly deletions: readonly Entry[]
}

/** What the asking side of a proof has below a bucket. */
export interface Claim {
  /** Buckets below this one. */
  readonly cut: number
  readonly horizon: number
  /** Of all entries below the cut, without the tombstones below the horizon. */
  readonly sums: TreeNode
  readonly database: string
  readonly vouches: readonly Vouch[]
}

/** The answer to a claim. */
export interface Proof {
  readonly equal: boolean
  readonly database: string
  readonly vouches: readonly Vouch[]
}

/** A version that is current no longer. */
export interface KeptPast {
  readonly entry: Entry
  /** When it ceased to be current there, by that node's clock. */
  readonly sinceMs: number
}

/** What a node keeps of one path of an image. */
export interface KeptHistory {
  /** A tombstone too. */
  readonly current: Entry | undefined
  /** Newest first. */
  readonly past: AsyncIterable<KeptPast>
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

/** The index of the side that asks, which an exchange compares and changes. */
export interface ExchangedEntries {
  /** Tombstones of images in buckets below this one may have been collected here. */
  horizon(): number
  /** What is compared, without the tombstones of images below this bucket. */
  beyond(horizon: number): ComparedEntries
  /**
   * Merges at most BATCH_ENTRIES_MAX entries of the other side, and resolves once `beyond` shows
   * them: with those that it did not take in, if there are any.
   */
  merge(entries: readonly Entry[]): Promise<Verdict | undefined>
  /** Takes the verdict of the other side on entries that it was handed. */
  review(verdict: Verdict): Promise<unknown>
}

/** Each method may throw StatusError to choose the answer; anything else ends the stream. */
export interface EntriesSource {
  /** What is compared, without the tombstones of images below this bucket. */
  beyond(horizon: number): ComparedEntries
  /**
   * Merges entries, passes on what was new to nodes other than `sentTo` and `from`, and resolves
   * once all of it is durable: with those that it did not take in, if there are any.
   */
  push(
    entries: readonly Entry[],
    sentTo: readonly string[],
    from: string
  ): Promise<Verdict | undefined>
  /** `root` is without the tombstones below the higher one of both horizons. */
  status(horizon: number): EntriesStatus | Promise<EntriesStatus>
  prove(claim: Claim, from: string): Promise<Proof>
  /** Takes a verdict on what this node has offered; returns how many images it concerned. */
  review(verdict: Verdict, from: string): Promise<number>
  history(path: ImagePath): KeptHistory
}
