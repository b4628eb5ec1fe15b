// Makes the entries of two nodes the same, over one stream, at the cost of what differs.
//
// The asking side walks down the time tree, newest first, into whatever differs, takes what it
// lacks and hands over what the other side lacks. What comes is applied at once, since a new entry
// empties older places of what it supersedes. Nothing is remembered of an exchange: broken off
// anywhere, it is begun again. While both sides change, it finds what differed when it looked.

import type { Entry } from '../entry.ts'
import {
  childKey,
  EMPTY_NODE,
  isSameNode,
  LEAF_LEVEL,
  levelOf,
  ROOT_KEY,
  type TreeKey,
  type TreeNode
} from '../time-tree-shape.ts'
import { readEntries } from './batch.ts'
import { compareRefs, type EntryRef, refOf } from './entry-ref.ts'
import { FirstPages, type Place } from './first-pages.ts'
import { join } from './join.ts'
import { BATCH_ENTRIES_MAX, TREE_CHILDREN_MAX, TREE_NODES_MAX } from './limits.ts'
import type { DescribedNode, PairsPage, RangePage } from './parse-answer.ts'
import { type NodePlan, planNode, planPairs } from './plan-descent.ts'
import type { EntriesClient } from './request.ts'
import type { ComparedEntries, EntriesStatus, ExchangedEntries, TreeChild } from './source.ts'
import { Transfer } from './transfer.ts'

/**
 * So many new entries are merged before older places are looked at, which they may have emptied;
 * fewer are left for a larger batch.
 */
const SUPERSEDING_MIN = 16

export interface ExchangeResult {
  /**
   * Whether both sides had the same entries at the end. If not, something has changed meanwhile, or
   * shows only now that the rest is settled: begin again.
   */
  readonly equal: boolean
  /** Entries that came, and that were handed over. */
  readonly received: number
  readonly sent: number
  /** Entries that one side could not read: these stay a difference. */
  readonly malformed: number
  /** Requests made. */
  readonly rounds: number
  /** What the other side last said of itself. */
  readonly remote: EntriesStatus
}

/**
 * Sets the horizon of `remote` to the higher one of both: tombstones that one side may have
 * collected are no difference. Throws what `local` and `remote` throw, and the signal's reason.
 */
export async function exchange(
  local: ExchangedEntries,
  remote: EntriesClient,
  signal: AbortSignal
): Promise<ExchangeResult> {
  const before = remote.asked
  remote.horizon = local.horizon()
  let status = await remote.status(signal)
  remote.horizon = Math.max(remote.horizon, status.horizon)
  const compared = local.beyond(remote.horizon)
  const transfer = new Transfer(local, compared, remote, signal)
  const descent = new Descent(compared, remote, transfer, signal)
  const isEqual = async ({ root }: EntriesStatus) => isSameNode(await compared.node(ROOT_KEY), root)
  let equal = await isEqual(status)
  if (!equal) {
    try {
      await descent.visit([{ key: ROOT_KEY, theirs: status.root }])
      await transfer.finish(1)
    } finally {
      await transfer.idle()
    }
    status = await remote.status(signal)
    equal = await isEqual(status)
  }
  const { received, sent, malformed } = transfer
  return { equal, received, sent, malformed, rounds: remote.asked - before, remote: status }
}

/** What of a node is to be settled. */
interface Compared {
  readonly places: readonly Place[]
  /** Both sides' sums, where its pairs are to be compared. */
  readonly pairs?: { readonly mine: TreeNode; readonly theirs: TreeNode }
}

/** An entry of one side, whole or by name only. */
interface Item {
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

class Descent {
  readonly #local: ComparedEntries
  readonly #remote: EntriesClient
  readonly #transfer: Transfer
  readonly #signal: AbortSignal

  constructor(
    local: ComparedEntries,
    remote: EntriesClient,
    transfer: Transfer,
    signal: AbortSignal
  ) {
    this.#local = local
    this.#remote = remote
    this.#transfer = transfer
    this.#signal = signal
  }

  /** Settles places, which come newest first. */
  async visit(places: readonly Place[]): Promise<void> {
    let deep: TreeKey[] = []
    const descend = async () => {
      const keys = deep
      deep = []
      await this.#descend(keys)
    }
    const planOf = async ({ key, theirs }: Place) =>
      this.#plan(key, await this.#local.node(key), theirs)
    const ahead = new FirstPages({ remote: this.#remote, signal: this.#signal, planOf }, places)
    for (const [at, { key, theirs }] of places.entries()) {
      const mine = await this.#local.node(key)
      const plan = this.#plan(key, mine, theirs)
      if (plan === 'same') continue
      if (plan === 'descend') deep.push(key)
      if (plan !== 'descend' || deep.length === TREE_NODES_MAX) await descend()
      if (plan === 'send') await this.#settle(this.#localPairs(key), nothing())
      if (plan !== 'whole' && plan !== 'pairs') continue
      // what was merged meanwhile may have changed the plan
      const { whole, pairs } = await ahead.take(at)
      if (plan === 'whole') await this.#settleWhole(key, whole)
      else await this.#settlePairs(key, mine, theirs, pairs)
    }
    await descend()
  }

  #plan(key: TreeKey, mine: TreeNode, theirs: TreeNode): NodePlan {
    return planNode(mine, theirs, levelOf(key) === LEAF_LEVEL)
  }

  /** Looks at the children of some nodes, which then wait for each other as little as one's own. */
  async #descend(keys: readonly TreeKey[]): Promise<void> {
    if (keys.length === 0) return
    const nodes = await this.#remote.tree(
      keys.map((key) => ({ key })),
      this.#signal
    )
    let differing: Place[] = []
    for (const [at, key] of keys.entries()) {
      const { pairs, places } = await this.#compare(key, nodes[at] as DescribedNode)
      differing.push(...places)
      if (pairs === undefined) continue
      await this.visit(differing)
      differing = []
      await this.#settlePairs(key, pairs.mine, pairs.theirs)
    }
    await this.visit(differing)
  }

  /** The children of a node that differ, or what it has itself where its pairs cost less. */
  async #compare(key: TreeKey, described: DescribedNode): Promise<Compared> {
    const mine = await this.#local.node(key)
    const theirs = described.node
    let differing: Place[] = []
    if (isSameNode(mine, theirs)) return { places: differing }
    const children = join(
      this.#local.children(key),
      this.#remoteChildren(key, described),
      (left, right) => left.index - right.index
    )
    for await (const { left, right } of children) {
      if (isSameNode(left?.node ?? EMPTY_NODE, right?.node ?? EMPTY_NODE)) continue
      const index = (left ?? right)?.index as number
      differing.push({ key: childKey(key, index), theirs: right?.node ?? EMPTY_NODE })
      // only the root has more children than that
      if (key === ROOT_KEY && differing.length === TREE_CHILDREN_MAX) {
        await this.visit(differing)
        differing = []
      }
    }
    const isCheaper = key !== ROOT_KEY && planPairs(mine, theirs, differing.length)
    return isCheaper ? { pairs: { mine, theirs }, places: [] } : { places: differing }
  }

  async #settlePairs(
    key: TreeKey,
    mine: TreeNode,
    theirs: TreeNode,
    first?: Promise<PairsPage | undefined>
  ): Promise<void> {
    const found = await this.#settle(this.#localPairs(key), this.#remotePairs(key, first))
    if (found) return
    // Two entries of one path may have the same version: then pairs don't show what sums do. If
    // nothing has moved meanwhile, that is how it is.
    const [now] = await this.#remote.tree([{ key }], this.#signal)
    const still = now !== undefined && isSameNode(now.node, theirs)
    if (still && isSameNode(await this.#local.node(key), mine)) await this.#settleWhole(key)
  }

  #settleWhole(key: TreeKey, first?: Promise<RangePage>): Promise<boolean> {
    return this.#settle(this.#localEntries(key), this.#remoteEntries(key, first))
  }

  /** Takes what is missing here and gives what is missing there. Whether there was any of it. */
  async #settle(mine: AsyncIterable<Item>, theirs: AsyncIterable<Item>): Promise<boolean> {
    let found = false
    const items = join(mine, theirs, (left, right) => compareRefs(left.ref, right.ref))
    for await (const { left, right } of items) {
      if (left !== undefined && right !== undefined && !areTied(left, right)) continue
      found = true
      if (left !== undefined) this.#transfer.give.push(left.ref)
      if (right?.entry !== undefined) this.#transfer.take.push(right.entry)
      else if (right !== undefined) this.#transfer.ask.push(right.ref)
      await this.#transfer.flush(BATCH_ENTRIES_MAX)
    }
    await this.#transfer.finish(SUPERSEDING_MIN)
    return found
  }

  async *#localPairs(key: TreeKey): AsyncGenerator<Item> {
    for await (const ref of this.#local.pairs(key)) yield { ref }
  }

  async *#localEntries(key: TreeKey): AsyncGenerator<Item> {
    for await (const raw of this.#local.range(key)) {
      for (const entry of readEntries([raw]).entries) yield new WholeItem(entry)
    }
  }

  async *#remotePairs(key: TreeKey, first?: Promise<PairsPage | undefined>): AsyncGenerator<Item> {
    const ask = (before?: EntryRef) => this.#remote.pairs(key, before, this.#signal)
    for await (const { refs } of pagesOf(ask, first)) {
      for (const ref of refs) yield { ref }
    }
  }

  async *#remoteEntries(key: TreeKey, first?: Promise<RangePage>): AsyncGenerator<Item> {
    const ask = (before?: EntryRef) => this.#remote.range(key, before, this.#signal)
    for await (const { entries, malformed } of pagesOf(ask, first)) {
      this.#transfer.malformed += malformed
      for (const entry of entries) yield new WholeItem(entry)
    }
  }

  async *#remoteChildren(key: TreeKey, first: DescribedNode): AsyncGenerator<TreeChild> {
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
function areTied(left: Item, right: Item): boolean {
  if (left.entry === undefined || right.entry === undefined) return false
  return Buffer.compare(left.entry.id, right.entry.id) !== 0
}

async function* nothing(): AsyncGenerator<never> {}
