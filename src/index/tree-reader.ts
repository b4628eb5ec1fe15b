// The index as another node compares it with its own: sums of the time tree, and what lies below.

import { type EntryRef, refOf } from '../../protocols/entries/entry-ref.ts'
import type { ComparedEntries, TreeChild } from '../../protocols/entries/source.ts'
import {
  childIndex,
  childKey,
  childrenMax,
  EMPTY_NODE,
  type TreeKey,
  type TreeNode,
  versionsOf
} from '../../protocols/time-tree-shape.ts'
import { parseVersionKey, versionKey } from '../../protocols/version.ts'
import { pages } from './pages.ts'
import { readEntry } from './read-entry.ts'
import { endOf, type Tables, versionRowKey } from './tables.ts'

const VERSION_LENGTH = 16

export class TreeReader implements ComparedEntries {
  readonly #tables: Tables

  constructor(tables: Tables) {
    this.#tables = tables
  }

  node(key: TreeKey): TreeNode {
    return (this.#tables.tree.getSync(key) as TreeNode | undefined) ?? EMPTY_NODE
  }

  async *children(key: TreeKey, before = childrenMax(key)): AsyncGenerator<TreeChild> {
    if (before <= 0 || childrenMax(key) === 0) return
    const range = { gte: childKey(key, 0), lte: childKey(key, before - 1), reverse: true }
    for await (const [child, node] of pages(this.#tables.tree.iterator(range))) {
      yield { index: childIndex(child), node: node as TreeNode }
    }
  }

  async *pairs(key: TreeKey, before?: EntryRef): AsyncGenerator<EntryRef> {
    for await (const row of pages(this.#tables.version.keys(boundsOf(key, before)))) {
      yield {
        version: parseVersionKey(row.slice(0, VERSION_LENGTH)),
        pathHash: row.slice(VERSION_LENGTH)
      }
    }
  }

  async *range(key: TreeKey, before?: EntryRef): AsyncGenerator<Uint8Array> {
    for await (const entryKey of pages(this.#tables.version.values(boundsOf(key, before)))) {
      const raw = this.#tables.entry.getSync(entryKey as string) as Uint8Array | undefined
      // one that was superseded meanwhile lies elsewhere now
      if (raw !== undefined && isBelow(raw, key, before)) yield raw
    }
  }

  async fetch(refs: readonly EntryRef[]): Promise<readonly Uint8Array[]> {
    return refs.flatMap((ref) => this.raw(ref) ?? [])
  }

  /** The author's bytes, if the entry is still current. */
  raw(ref: EntryRef): Uint8Array | undefined {
    const row = versionRowKey(ref.version, ref.pathHash)
    const entryKey = this.#tables.version.getSync(row) as string | undefined
    if (entryKey === undefined) return undefined
    return this.#tables.entry.getSync(entryKey) as Uint8Array | undefined
  }
}

function boundsOf(key: TreeKey, before: EntryRef | undefined) {
  const { first, end } = versionsOf(key)
  const isInside = before !== undefined && before.version < end
  return {
    gte: versionKey(first),
    lt: isInside ? versionRowKey(before.version, before.pathHash) : endOf(versionKey(end - 1n)),
    reverse: true
  }
}

function isBelow(raw: Uint8Array, key: TreeKey, before: EntryRef | undefined): boolean {
  const entry = readEntry(raw)
  if (entry === undefined) return false
  const ref = refOf(entry)
  const { first, end } = versionsOf(key)
  if (ref.version < first || ref.version >= end) return false
  if (before === undefined) return true
  return (
    ref.version < before.version ||
    (ref.version === before.version && ref.pathHash < before.pathHash)
  )
}
