// The index as if the tombstones of images below a bucket were not there. Of two nodes that are
// compared one may have collected them, and that is no difference.

import type { EntryRef } from '../../protocols/entries/entry-ref.ts'
import type { ComparedEntries, TreeChild } from '../../protocols/entries/source.ts'
import { isTombstone } from '../../protocols/entry.ts'
import {
  bucketOf,
  bucketStartMs,
  childKey,
  childrenMax,
  isEmptyNode,
  LEAF_LEVEL,
  type TreeKey,
  type TreeNode,
  treeKey,
  versionsOf
} from '../../protocols/time-tree-shape.ts'
import { readEntry } from './read-entry.ts'
import type { TreeReader } from './tree-reader.ts'
import { withoutDead } from './tree-sums.ts'

export class ForgetfulTree implements ComparedEntries {
  readonly #tree: TreeReader
  readonly #horizon: number

  constructor(tree: TreeReader, horizon: number) {
    this.#tree = tree
    this.#horizon = horizon
  }

  node(key: TreeKey): Promise<TreeNode> {
    return this.#forget(key, this.#tree.node(key))
  }

  async *children(key: TreeKey, before = childrenMax(key)): AsyncGenerator<TreeChild> {
    for await (const { index, node } of this.#tree.children(key, before)) {
      const kept = await this.#forget(childKey(key, index), node)
      if (!isEmptyNode(kept)) yield { index, node: kept }
    }
  }

  async *pairs(key: TreeKey, before?: EntryRef): AsyncGenerator<EntryRef> {
    for await (const ref of this.#tree.pairs(key, before)) {
      if (!this.#isForgotten(ref)) yield ref
    }
  }

  async *range(key: TreeKey, before?: EntryRef): AsyncGenerator<Uint8Array> {
    for await (const raw of this.#tree.range(key, before)) {
      const entry = readEntry(raw)
      if (entry === undefined) continue
      if (!isTombstone(entry) || bucketOf(entry.version) >= this.#horizon) yield raw
    }
  }

  fetch(refs: readonly EntryRef[]): Promise<readonly Uint8Array[]> {
    return this.#tree.fetch(refs)
  }

  async #forget(key: TreeKey, node: TreeNode): Promise<TreeNode> {
    if (node.dead === 0) return node
    const { first, end } = versionsOf(key)
    if (bucketOf(first) >= this.#horizon) return node
    if (bucketOf(end - 1n) < this.#horizon) return { ...node, dead: 0, deadSum: 0n }
    // the horizon lies within it, so it is not of the lowest level
    let kept = node
    for await (const child of this.#tree.children(key)) {
      const name = childKey(key, child.index)
      if (child.node.dead === 0 || bucketOf(versionsOf(name).first) >= this.#horizon) continue
      kept = withoutDead(kept, withoutDead(child.node, await this.#forget(name, child.node)))
    }
    return kept
  }

  #isForgotten(ref: EntryRef): boolean {
    const bucket = bucketOf(ref.version)
    if (bucket >= this.#horizon) return false
    const leaf = treeKey(LEAF_LEVEL, bucketStartMs(bucket))
    if (this.#tree.node(leaf).dead === 0) return false
    const entry = readEntry(this.#tree.raw(ref))
    return entry !== undefined && isTombstone(entry)
  }
}

/** Buckets below one that hold tombstones of images, newest first. */
export async function* deadBuckets(tree: TreeReader, below: number): AsyncGenerator<number> {
  yield* bucketsIn(tree, treeKey(0, 0), below)
}

async function* bucketsIn(tree: TreeReader, key: TreeKey, below: number): AsyncGenerator<number> {
  for await (const { index, node } of tree.children(key)) {
    const child = childKey(key, index)
    const { first } = versionsOf(child)
    if (node.dead === 0 || bucketOf(first) >= below) continue
    if (childrenMax(child) === 0) yield bucketOf(first)
    else yield* bucketsIn(tree, child, below)
  }
}
