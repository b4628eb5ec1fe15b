// The time tree as one change writes it. Very many entries of a change add to the same nodes, so a
// node is copied once and then counted up in place.

import { type Entry, isTombstone } from '../../protocols/entry.ts'
import {
  bucketOf,
  EMPTY_NODE,
  isSameNode,
  type TreeKey,
  type TreeNode
} from '../../protocols/time-tree-shape.ts'
import type { Layer } from './layer.ts'
import type { Writable } from './rows.ts'
import { SUM_BITS, sumOf, treeKeys } from './time-tree.ts'

export class TreeWriter {
  readonly #layer: Layer
  /** The bucket of the last entry, in which the next one lies most of the time. */
  #bucket: number | undefined
  #keys: readonly TreeKey[] = []
  /** Nodes of this change. Nobody else writes them in a change that adds entries. */
  readonly #nodes = new Map<TreeKey, Writable<TreeNode>>()

  constructor(layer: Layer) {
    this.#layer = layer
  }

  /** Adds an entry (`times` 1), or takes it out (-1). */
  add(entry: Entry, times: 1 | -1): void {
    const bucket = bucketOf(entry.version)
    if (bucket !== this.#bucket) {
      this.#bucket = bucket
      this.#keys = treeKeys(entry.version)
    }
    const isDead = isTombstone(entry)
    const id = times === 1 ? sumOf(entry) : -sumOf(entry)
    for (const key of this.#keys) {
      const node = this.#nodeOf(key)
      if (isDead) {
        node.dead += times
        node.deadSum = BigInt.asUintN(SUM_BITS, node.deadSum + id)
      } else {
        node.live += times
        node.liveSum = BigInt.asUintN(SUM_BITS, node.liveSum + id)
      }
      if (!isSameNode(node, EMPTY_NODE)) continue
      this.#layer.put('tree', key, undefined)
      this.#nodes.delete(key)
    }
  }

  #nodeOf(key: TreeKey): Writable<TreeNode> {
    const own = this.#nodes.get(key)
    if (own !== undefined) return own
    const found = this.#layer.get('tree', key) as TreeNode | undefined
    // others belong to earlier changes, which may be being written
    const node = { ...EMPTY_NODE, ...found }
    this.#nodes.set(key, node)
    this.#layer.put('tree', key, node)
    return node
  }
}
