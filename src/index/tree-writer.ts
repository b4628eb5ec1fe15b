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
  /** Nodes of this change; all others belong to earlier ones, which may be being written. */
  readonly #own = new Set<TreeNode>()
  /** The bucket of the last entry, in which the next one lies most of the time. */
  #bucket: number | undefined
  #keys: readonly TreeKey[] = []

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
      if (isSameNode(node, EMPTY_NODE)) this.#layer.put('tree', key, undefined)
    }
  }

  #nodeOf(key: TreeKey): Writable<TreeNode> {
    const found = this.#layer.get('tree', key) as TreeNode | undefined
    if (found !== undefined && this.#own.has(found)) return found
    const node = { ...EMPTY_NODE, ...found }
    this.#own.add(node)
    this.#layer.put('tree', key, node)
    return node
  }
}
