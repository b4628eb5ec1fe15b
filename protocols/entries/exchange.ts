// Makes the entries of two nodes the same, over one stream, at the cost of what differs.
//
// The asking side walks down the time tree, newest first, into whatever differs, takes what it
// lacks and hands over what the other side lacks. What comes is applied at once, since a new entry
// empties older places of what it supersedes. Nothing is remembered of an exchange: broken off
// anywhere, it is begun again. While both sides change, it finds what differed when it looked.

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
import { compareRefs, type EntryRef } from './entry-ref.ts'
import { type FirstPage, FirstPages, type Place } from './first-pages.ts'
import { join, unmatched } from './join.ts'
import { BATCH_ENTRIES_MAX, TREE_CHILDREN_MAX, TREE_NODES_MAX } from './limits.ts'
import type { DescribedNode, RangePage } from './parse-answer.ts'
import { type NodePlan, planNode, planPairs } from './plan-descent.ts'
import type { EntriesClient } from './request.ts'
import { areTied, type Item, nothing, Sides } from './sides.ts'
import type { ComparedEntries, EntriesStatus, ExchangedEntries } from './source.ts'
import { Transfer } from './transfer.ts'

/** So many entries are moved before older places are looked at; fewer wait for a larger batch. */
const MOVED_MIN = 32

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
 * Nothing of it goes on once it has ended.
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
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const transfer = new Transfer(local, compared, remote, either)
  const descent = new Descent(compared, remote, transfer, either)
  const isEqual = async ({ root }: EntriesStatus) => isSameNode(await compared.node(ROOT_KEY), root)
  let equal = await isEqual(status)
  if (!equal) {
    try {
      await descent.visit([{ key: ROOT_KEY, theirs: status.root }])
      await transfer.finish()
    } catch (error) {
      failed.abort(error) // nobody waits for what is on its way, which may be for ever
      throw error
    } finally {
      await Promise.all([transfer.idle(), descent.idle()])
    }
    status = await remote.status(signal)
    equal = await isEqual(status)
  }
  const { received, sent, malformed } = transfer
  return { equal, received, sent, malformed, rounds: remote.asked - before, remote: status }
}

/** What both sides have below a node. */
interface Sums {
  readonly mine: TreeNode
  readonly theirs: TreeNode
}

/** What of a node is to be settled. */
interface Compared {
  readonly places: readonly Place[]
  /** Where its pairs are to be compared. */
  readonly pairs?: Sums
}

/** What is to be settled next: places, or the names of a whole node. */
type Step =
  | { readonly places: readonly Place[]; readonly pages: FirstPages }
  | { readonly key: TreeKey; readonly pairs: Sums }

class Descent {
  readonly #local: ComparedEntries
  readonly #remote: EntriesClient
  readonly #transfer: Transfer
  readonly #signal: AbortSignal
  readonly #sides: Sides
  /** Looks at what comes next that have not ended. */
  readonly #ahead = new Set<Promise<unknown>>()

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
    const onMalformed = (count: number) => {
      transfer.malformed += count
    }
    this.#sides = new Sides({ local, remote, signal, onMalformed })
  }

  /** Settles places, which come newest first. */
  async visit(places: readonly Place[], pages = this.#firstPages(places)): Promise<void> {
    let deep: TreeKey[] = []
    let next: Promise<readonly Step[]> | undefined
    // what is below some nodes is asked for while that of others is settled
    const descend = async () => {
      const now = next
      next = deep.length > 0 ? this.#begun(this.#look(deep, now !== undefined)) : undefined
      deep = []
      if (now !== undefined) await this.#take(await now)
    }
    for (const [at, { key, theirs }] of places.entries()) {
      const mine = await this.#local.node(key)
      const plan = this.#plan(key, mine, theirs)
      if (plan === 'same') continue
      if (plan === 'descend') deep.push(key)
      if (plan !== 'descend' || deep.length === TREE_NODES_MAX) await descend()
      if (plan === 'descend') continue
      await descend()
      if (plan === 'send') await this.#settle(this.#sides.localPairs(key), nothing())
      else {
        // what was merged meanwhile may have changed the plan
        const first = await pages.take(at)
        if (plan === 'whole') await this.#settleWhole(key, first.whole)
        else await this.#settlePairs(key, { mine, theirs }, first)
      }
    }
    await descend()
    await descend()
  }

  /** Resolves when nothing is looked at any more, however that ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#ahead)
  }

  /** It throws where it is waited for, if it still is. */
  #begun<T>(look: Promise<T>): Promise<T> {
    this.#ahead.add(look)
    const end = () => this.#ahead.delete(look)
    look.then(end, end)
    return look
  }

  #firstPages(places: readonly Place[]): FirstPages {
    const planOf = async ({ key, theirs }: Place) => {
      this.#signal.throwIfAborted()
      return this.#plan(key, await this.#local.node(key), theirs)
    }
    const namesOf = async (place: Place) => {
      this.#signal.throwIfAborted()
      return this.#begun(this.#sides.namesOf(place))
    }
    const parts = { remote: this.#remote, signal: this.#signal, planOf, namesOf }
    return new FirstPages(parts, places)
  }

  #plan(key: TreeKey, mine: TreeNode, theirs: TreeNode): NodePlan {
    return planNode(mine, theirs, levelOf(key) === LEAF_LEVEL)
  }

  /**
   * Looks at the children of some nodes, which then wait for each other as little as one's own.
   * `ahead`: while others are settled, which may empty some of these: those are asked for in vain.
   */
  async #look(keys: readonly TreeKey[], ahead: boolean): Promise<readonly Step[]> {
    const asked = keys.map((key) => ({ key }))
    const nodes = await this.#remote.tree(asked, this.#signal)
    const steps: Step[] = []
    let differing: Place[] = []
    const close = () => {
      const pages = this.#firstPages(differing)
      if (ahead) pages.begin()
      steps.push({ places: differing, pages })
      differing = []
    }
    for (const [at, key] of keys.entries()) {
      const { pairs, places } = await this.#compare(key, nodes[at] as DescribedNode)
      differing.push(...places)
      if (pairs === undefined) continue
      close()
      steps.push({ key, pairs })
    }
    close()
    return steps
  }

  async #take(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if ('pairs' in step) await this.#settlePairs(step.key, step.pairs)
      else await this.visit(step.places, step.pages)
    }
  }

  /** The children of a node that differ, or what it has itself where its pairs cost less. */
  async #compare(key: TreeKey, described: DescribedNode): Promise<Compared> {
    const mine = await this.#local.node(key)
    const theirs = described.node
    let differing: Place[] = []
    if (isSameNode(mine, theirs)) return { places: differing }
    const children = join(
      this.#local.children(key),
      this.#sides.remoteChildren(key, described),
      (left, right) => left.index - right.index
    )
    for await (const { left, right } of children) {
      if (isSameNode(left?.node ?? EMPTY_NODE, right?.node ?? EMPTY_NODE)) continue
      const index = (left ?? right)?.index as number
      differing.push({ key: childKey(key, index), theirs: right?.node ?? EMPTY_NODE })
      // only the root has more children than that, and it is looked at alone
      if (key === ROOT_KEY && differing.length === TREE_CHILDREN_MAX) {
        await this.visit(differing)
        differing = []
      }
    }
    const isCheaper = key !== ROOT_KEY && planPairs(mine, theirs, differing.length)
    return isCheaper ? { pairs: { mine, theirs }, places: [] } : { places: differing }
  }

  async #settlePairs(key: TreeKey, { mine, theirs }: Sums, first: FirstPage = {}): Promise<void> {
    const [page, names] = [await first.pairs, await first.mine]
    const isWhole = page?.next === undefined
    const found =
      page !== undefined && isWhole && names !== undefined
        ? await this.#settleNames(names, page.refs)
        : await this.#settle(this.#sides.localPairs(key), this.#sides.remotePairs(key, first.pairs))
    if (found) return
    // Two entries of one path may have the same version: then pairs don't show what sums do. If
    // nothing has moved meanwhile, that is how it is.
    const [now] = await this.#remote.tree([{ key }], this.#signal)
    const still = now !== undefined && isSameNode(now.node, theirs)
    if (still && isSameNode(await this.#local.node(key), mine)) await this.#settleWhole(key)
  }

  #settleWhole(key: TreeKey, first?: Promise<RangePage>): Promise<boolean> {
    return this.#settle(this.#sides.localEntries(key), this.#sides.remoteEntries(key, first))
  }

  /** The same as #settle, of all names of a node. */
  async #settleNames(mine: readonly EntryRef[], theirs: readonly EntryRef[]): Promise<boolean> {
    let found = false
    for (const { left, right } of unmatched(mine, theirs, compareRefs)) {
      found = true
      if (left !== undefined) this.#transfer.give.push(left)
      if (right !== undefined) this.#transfer.ask.push(right)
      await this.#transfer.flush(BATCH_ENTRIES_MAX)
    }
    await this.#transfer.settled(MOVED_MIN)
    return found
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
    await this.#transfer.settled(MOVED_MIN)
    return found
  }
}
