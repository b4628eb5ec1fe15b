// What the two sides of an exchange have below a node of the time tree, in the same order, so that
// they can be walked side by side.

import type { Entry } from '../entry.ts'
import type { TreeKey } from '../time-tree-shape.ts'
import { readEntries } from './batch.ts'
import { type EntryRef, refOf } from './entry-ref.ts'
import type { Place } from './first-pages.ts'
import { PAGE_PAIRS_MAX } from './limits.ts'
import type { DescribedNode, PairsPage, RangePage } from './parse-answer.ts'
import { FEW_ENTRIES_MAX, sizeOf } from './plan-descent.ts'
import type { EntriesClient } from './request.ts'
import type { ComparedEntries, TreeChild } from './source.ts'

/** An entry of one side, whole or by name only. */
export interface Item {
  readonly ref: EntryRef
  readonly entry?: Entry | undefined
}

/** Its name is a hash, of which nothing is asked where the other side has nothing. */
class WholeItem implements Item {
  readonly entry: Entry
  #ref: EntryRef | undefined

  constructor(entry: Entry) {
    this.entry = entry
  }

  get ref(): EntryRef {
    this.#ref ??= refOf(this.entry)
    return this.#ref
  }
}

export interface SidesParts {
  readonly local: ComparedEntries
  readonly remote: EntriesClient
  readonly signal: AbortSignal
  /** Hears of entries of the other side that can't be read. */
  readonly onMalformed: (count: number) => void
}

export class Sides {
  readonly #local: ComparedEntries
  readonly #remote: EntriesClient
  readonly #signal: AbortSignal
  readonly #onMalformed: (count: number) => void

  constructor({ local, remote, signal, onMalformed }: SidesParts) {
    this.#local = local
    this.#remote = remote
    this.#signal = signal
    this.#onMalformed = onMalformed
  }

  /**
   * Names of all entries of a place that this side has; undefined where they are many more than
   * those of the other side, or those are more than one answer tells: then both are walked.
   */
  async namesOf({ key, theirs }: Place): Promise<readonly EntryRef[] | undefined> {
    const theirSize = sizeOf(theirs)
    if (theirSize >= PAGE_PAIRS_MAX) return undefined
    const size = sizeOf(await this.#local.node(key))
    if (size > Math.max(FEW_ENTRIES_MAX, 2 * theirSize)) return undefined
    const names: EntryRef[] = []
    for await (const ref of this.#local.pairs(key)) names.push(ref)
    return names
  }

  /** Names of all entries below a node that this side has. */
  async *localPairs(key: TreeKey): AsyncGenerator<Item> {
    for await (const ref of this.#local.pairs(key)) yield { ref }
  }

  /** The same, whole; what can't be read is left out. */
  async *localEntries(key: TreeKey): AsyncGenerator<Item> {
    for await (const raw of this.#local.range(key)) {
      for (const entry of readEntries([raw]).entries) yield new WholeItem(entry)
    }
  }

  /** Names of those that the other side has; `first`: of the first page, where it was asked for. */
  async *remotePairs(key: TreeKey, first?: Promise<PairsPage | undefined>): AsyncGenerator<Item> {
    const ask = (before?: EntryRef) => this.#remote.pairs(key, before, this.#signal)
    for await (const { refs } of pagesOf(ask, first)) {
      for (const ref of refs) yield { ref }
    }
  }

  /** The same, whole. */
  async *remoteEntries(key: TreeKey, first?: Promise<RangePage>): AsyncGenerator<Item> {
    const ask = (before?: EntryRef) => this.#remote.range(key, before, this.#signal)
    for await (const { entries, malformed } of pagesOf(ask, first)) {
      if (malformed > 0) this.#onMalformed(malformed)
      for (const entry of entries) yield new WholeItem(entry)
    }
  }

  /** All children of a node of the other side, of which the first page is there. */
  async *remoteChildren(key: TreeKey, first: DescribedNode): AsyncGenerator<TreeChild> {
    for (let page: DescribedNode | undefined = first; page !== undefined; ) {
      yield* page.children
      const before = page.more ? page.children.at(-1)?.index : undefined
      if (before === undefined) return
      ;[page] = await this.#remote.tree([{ key, before }], this.#signal)
    }
  }
}

interface Page {
  /** Where to go on; undefined at the end. */
  readonly next: EntryRef | undefined
}

/** The next page is on its way while one is worked on. */
async function* pagesOf<P extends Page>(
  ask: (before?: EntryRef) => Promise<P>,
  first?: Promise<P | undefined>
): AsyncGenerator<P> {
  let coming: Promise<P | undefined> | undefined = first ?? ask()
  while (coming !== undefined) {
    const page: P = (await coming) ?? (await ask())
    coming = page.next === undefined ? undefined : ask(page.next)
    coming?.catch(() => {}) // it is thrown where the page is waited for, if it still is
    yield page
  }
}

/** Two entries of one path and version, by two writers who did not know of each other. */
export function areTied(left: Item, right: Item): boolean {
  if (left.entry === undefined || right.entry === undefined) return false
  return Buffer.compare(left.entry.id, right.entry.id) !== 0
}

export async function* nothing(): AsyncGenerator<never> {}
