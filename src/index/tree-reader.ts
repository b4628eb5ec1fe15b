// The index as another node compares it with its own: sums of the time tree, and what lies below.

import type { AbstractSnapshot } from 'abstract-level'
import type { EntryRef } from '../../protocols/entries/entry-ref.ts'
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
import { PAGE_ROWS_MAX, pages, wholePages } from './pages.ts'
import { endOf, type Tables, versionRowKey } from './tables.ts'
import type { VersionRow } from './version-encoding.ts'

const VERSION_LENGTH = 16

export class TreeReader implements ComparedEntries {
  readonly #tables: Tables
  readonly #snapshot: () => AbstractSnapshot

  constructor(tables: Tables, snapshot: () => AbstractSnapshot) {
    this.#tables = tables
    this.#snapshot = snapshot
  }

  node(key: TreeKey): TreeNode {
    return (this.#tables.tree.getSync(key) as TreeNode | undefined) ?? EMPTY_NODE
  }

  async *children(key: TreeKey, before = childrenMax(key)): AsyncGenerator<TreeChild> {
    if (before <= 0 || childrenMax(key) === 0) return
    const range = { gte: childKey(key, 0), lte: childKey(key, before - 1), reverse: true }
    for await (const [child, node] of pages(this.#tables.tree.iterator(range), PAGE_ROWS_MAX)) {
      yield { index: childIndex(child), node: node as TreeNode }
    }
  }

  async *pairs(key: TreeKey, before?: EntryRef): AsyncGenerator<EntryRef> {
    const keys = this.#tables.version.keys(boundsOf(key, before))
    const { live, dead } = this.node(key)
    // with one more the first page is the last one
    const firstRows = Math.min(live + dead + 1, PAGE_ROWS_MAX)
    for await (const row of pages(keys, Math.max(firstRows, 1))) {
      yield {
        version: parseVersionKey(row.slice(0, VERSION_LENGTH)),
        pathHash: row.slice(VERSION_LENGTH)
      }
    }
  }

  async *range(key: TreeKey, before?: EntryRef): AsyncGenerator<Uint8Array> {
    // of one moment: what a row says is not superseded then
    const snapshot = this.#snapshot()
    try {
      const rows = this.#tables.version.values({ ...boundsOf(key, before), snapshot })
      for await (const page of wholePages(rows)) {
        yield* await rawsOf(this.#tables, page as VersionRow[], { snapshot })
      }
    } finally {
      await snapshot.close()
    }
  }

  async fetch(refs: readonly EntryRef[]): Promise<readonly Uint8Array[]> {
    const names = refs.map((ref) => versionRowKey(ref.version, ref.pathHash))
    const rows = (await this.#tables.version.getMany(names)).filter((row) => row !== undefined)
    return rawsOf(this.#tables, rows as VersionRow[])
  }

  /** The author's bytes, if the entry is still current. */
  raw(ref: EntryRef): Uint8Array | undefined {
    const name = versionRowKey(ref.version, ref.pathHash)
    const row = this.#tables.version.getSync(name) as VersionRow | undefined
    if (typeof row !== 'string') return row
    return this.#tables.entry.getSync(row) as Uint8Array | undefined
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

/** The authors' bytes of rows of versions, in their order. */
export async function rawsOf(
  { entry }: Pick<Tables, 'entry'>,
  rows: readonly VersionRow[],
  of: { snapshot?: AbstractSnapshot } = {}
): Promise<Uint8Array[]> {
  const keys = rows.filter((row) => typeof row === 'string')
  if (keys.length === 0) return rows as Uint8Array[]
  const raws = (await entry.getMany(keys, of)).values() as Iterator<Uint8Array | undefined>
  return rows.flatMap((row) => (typeof row === 'string' ? (raws.next().value ?? []) : row))
}
