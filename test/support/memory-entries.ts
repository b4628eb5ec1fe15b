// A set of entries in memory that merges as the index does and can be compared over the wire.

import { compareRefs, type EntryRef, refOf } from '../../protocols/entries/entry-ref.ts'
import type {
  Claim,
  ComparedEntries,
  EntriesSource,
  EntriesStatus,
  ExchangedEntries,
  KeptHistory,
  KeptPast,
  Proof,
  TreeChild,
  Verdict
} from '../../protocols/entries/source.ts'
import { type Entry, encodeEntry, isTombstone, KIND_IMAGE, wins } from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import {
  childIndex,
  EMPTY_NODE,
  isEmptyNode,
  levelOf,
  ROOT_KEY,
  TREE_LEVEL_BITS,
  type TreeKey,
  type TreeNode,
  treeKey,
  versionsOf
} from '../../protocols/time-tree-shape.ts'
import { type Version, versionMs } from '../../protocols/version.ts'

interface Kept {
  readonly entry: Entry
  readonly ref: EntryRef
}

export class MemoryEntries implements EntriesSource, ComparedEntries {
  /** What was handed over by peers: for tests that look at it. */
  readonly pushes: { entries: readonly Entry[]; sentTo: readonly string[]; from: string }[] = []
  /** Called before each read and each push. */
  before: () => void = () => {}
  /** Versions of any path that are current no longer, newest first. */
  past: readonly KeptPast[] = []
  readonly #byPath = new Map<string, Kept>()
  readonly #nodes = new Map<TreeKey, TreeNode>()
  #ordered: Kept[] | undefined

  constructor(entries: Iterable<Entry> = []) {
    for (const entry of entries) this.merge(entry)
  }

  get size(): number {
    return this.#byPath.size
  }

  entries(): Entry[] {
    return [...this.#byPath.values()].map(({ entry }) => entry)
  }

  merge(entry: Entry): void {
    const path = `${entry.kind}/${entry.path}`
    const held = this.#byPath.get(path)
    if (held !== undefined && !wins(entry, held.entry)) return
    if (held !== undefined) this.#count(held.entry, -1)
    this.#byPath.set(path, { entry, ref: refOf(entry) })
    this.#count(entry, 1)
    this.#ordered = undefined
  }

  /** One line for each entry, sorted: equal sets give equal lines. */
  lines(): string[] {
    return [...this.#byPath.values()]
      .map(({ entry }) => Buffer.from(entry.id).toString('hex'))
      .sort()
  }

  node(key: TreeKey): TreeNode {
    this.before()
    return this.#nodes.get(key) ?? EMPTY_NODE
  }

  async *children(key: TreeKey, before = Number.POSITIVE_INFINITY): AsyncGenerator<TreeChild> {
    this.before()
    const { first, end } = versionsOf(key)
    const level = levelOf(key) + 1
    const found = [...this.#nodes].filter(([child, node]) => {
      if (levelOf(child) !== level || isEmptyNode(node)) return false
      const version = versionsOf(child).first
      return version >= first && version < end && childIndex(child) < before
    })
    yield* found
      .map(([child, node]) => ({ index: childIndex(child), node }))
      .sort((a, b) => b.index - a.index)
  }

  async *pairs(key: TreeKey, before?: EntryRef): AsyncGenerator<EntryRef> {
    for (const { ref } of this.#below(key, before)) yield ref
  }

  async *range(key: TreeKey, before?: EntryRef): AsyncGenerator<Uint8Array> {
    for (const { entry } of this.#below(key, before)) yield entry.raw
  }

  async fetch(refs: readonly EntryRef[]): Promise<readonly Uint8Array[]> {
    const kept = this.#below(ROOT_KEY, undefined)
    const known = new Map(kept.map((one) => [`${one.ref.version}/${one.ref.pathHash}`, one]))
    return refs.flatMap(({ version, pathHash }) => {
      const found = known.get(`${version}/${pathHash}`)
      return found === undefined ? [] : [found.entry.raw]
    })
  }

  beyond(): ComparedEntries {
    return this
  }

  /** As the side that asks; `onMerge` is called before each merge. */
  asking(onMerge: (entries: readonly Entry[]) => void = () => {}): ExchangedEntries {
    return {
      horizon: () => 0,
      beyond: () => this,
      merge: async (entries) => {
        onMerge(entries)
        for (const entry of entries) this.merge(entry)
        return undefined
      },
      review: (verdict) => this.review(verdict)
    }
  }

  history(path: ImagePath): KeptHistory {
    this.before()
    const past = this.past.filter(({ entry }) => entry.path === path)
    return {
      current: this.#byPath.get(`${KIND_IMAGE}/${path}`)?.entry,
      past: (async function* () {
        yield* past
      })()
    }
  }

  async prove({ database }: Claim): Promise<Proof> {
    return { equal: false, database, vouches: [] }
  }

  async review({ refs }: Verdict): Promise<number> {
    return refs.length
  }

  async push(
    entries: readonly Entry[],
    sentTo: readonly string[],
    from: string
  ): Promise<Verdict | undefined> {
    this.before()
    this.pushes.push({ entries, sentTo, from })
    for (const entry of entries) this.merge(entry)
    return undefined
  }

  status(): EntriesStatus {
    return { root: this.node(ROOT_KEY), wantsFiles: 0, wantsBytes: 0, wantRanges: [], horizon: 0 }
  }

  #below(key: TreeKey, before: EntryRef | undefined): Kept[] {
    this.before()
    this.#ordered ??= [...this.#byPath.values()].sort((a, b) => compareRefs(b.ref, a.ref))
    const { first, end } = versionsOf(key)
    return this.#ordered.filter(
      ({ ref }) =>
        ref.version >= first &&
        ref.version < end &&
        (before === undefined || compareRefs(ref, before) < 0)
    )
  }

  #count(entry: Entry, times: 1 | -1): void {
    const sum = BigInt(`0x${Buffer.from(entry.id).toString('hex')}`) * BigInt(times)
    for (const level of TREE_LEVEL_BITS.keys()) {
      const key = treeKey(level, versionMs(entry.version))
      const { live, dead, liveSum, deadSum } = this.#nodes.get(key) ?? EMPTY_NODE
      this.#nodes.set(
        key,
        isTombstone(entry)
          ? { live, liveSum, dead: dead + times, deadSum: BigInt.asUintN(256, deadSum + sum) }
          : { dead, deadSum, live: live + times, liveSum: BigInt.asUintN(256, liveSum + sum) }
      )
    }
  }
}

/** An entry of an image, or a tombstone. */
export function imageEntry(
  path: string,
  version: Version,
  {
    writer = 'a',
    deleted = false,
    content = '00',
    replaces = undefined as Version | undefined
  } = {}
): Entry {
  return encodeEntry({
    kind: KIND_IMAGE,
    path,
    deleted,
    version,
    writer,
    replaces,
    createdMs: 1_700_000_000_000,
    ...(deleted
      ? { bytes: 0, mediaType: '' }
      : {
          hash: content.repeat(32) as ContentHash,
          md5: content.repeat(16) as Md5,
          bytes: 1000,
          mediaType: 'image/png'
        })
  })
}
