// The first pages of what an exchange is about to settle, asked for before their turn: places that
// hold little wait for each other's answer, and share a request where only names are asked for.
// Those of this side are read meanwhile.

import type { TreeKey, TreeNode } from '../time-tree-shape.ts'
import type { EntryRef } from './entry-ref.ts'
import { PAGE_PAIRS_MAX, PAIRS_NODES_MAX, REQUESTS_OUTSTANDING_MAX } from './limits.ts'
import type { PairsPage, RangePage } from './parse-answer.ts'
import { type NodePlan, sizeOf } from './plan-descent.ts'
import type { EntriesClient } from './request.ts'

/** A node of the tree, and what the other side has there. */
export interface Place {
  readonly key: TreeKey
  readonly theirs: TreeNode
}

/** Pages may be missing: then whoever needs them asks. */
export interface FirstPage {
  readonly whole?: Promise<RangePage>
  readonly pairs?: Promise<PairsPage | undefined>
  /** Names of this side, all of them. */
  readonly mine?: Promise<readonly EntryRef[] | undefined>
}

interface Asked extends FirstPage {
  /** Places that share it and were not looked at yet. */
  readonly request: { places: number }
}

export interface FirstPagesParts {
  readonly remote: Pick<EntriesClient, 'range' | 'pairsOfMany'>
  readonly signal: AbortSignal
  /** What is to be done with a place as things are now. */
  readonly planOf: (place: Place) => Promise<NodePlan>
  /** All names of this side below a place; undefined where they are too many to be held. */
  readonly namesOf: (place: Place) => Promise<readonly EntryRef[] | undefined>
}

export class FirstPages {
  readonly #parts: FirstPagesParts
  readonly #places: readonly Place[]
  /** By the index of the place, in their order. */
  readonly #asked = new Map<number, Asked>()
  /** The first place that was not looked at. */
  #next = 0
  #requests = 0
  #asking: Promise<void> = Promise.resolve()

  constructor(parts: FirstPagesParts, places: readonly Place[]) {
    this.#parts = parts
    this.#places = places
  }

  /** Asks for what comes first. Errors are thrown where pages are taken. */
  begin(): void {
    this.#goOn().catch(() => {})
  }

  /** What was asked for of the place at `index`; places before it are forgotten. */
  async take(index: number): Promise<FirstPage> {
    for (const at of this.#asked.keys()) {
      if (at >= index) break
      this.#forget(at)
    }
    this.#next = Math.max(this.#next, index)
    await this.#goOn()
    const asked = this.#asked.get(index)
    this.#forget(index)
    return asked ?? {}
  }

  /** Once it has been asked for what was to be asked for before. */
  #goOn(): Promise<void> {
    this.#asking = this.#asking.then(() => this.#askOn())
    return this.#asking
  }

  async #askOn(): Promise<void> {
    let group: number[] = []
    let refs = 0
    const send = () => {
      if (group.length > 0) this.#askPairs(group)
      group = []
      refs = 0
    }
    while (this.#next < this.#places.length && this.#requests < REQUESTS_OUTSTANDING_MAX) {
      const index = this.#next++
      const place = this.#places[index] as Place
      const plan = await this.#parts.planOf(place)
      if (plan === 'whole') this.#askWhole(index)
      if (plan !== 'pairs') continue
      const size = sizeOf(place.theirs)
      if (refs + size >= PAGE_PAIRS_MAX) send()
      group.push(index)
      refs += size
      if (group.length === PAIRS_NODES_MAX) send()
    }
    send()
  }

  #askWhole(index: number): void {
    const { remote, signal } = this.#parts
    const whole = remote.range(this.#keyAt(index), undefined, signal)
    whole.catch(() => {}) // thrown where the page is waited for, if it still is
    this.#requests++
    this.#asked.set(index, { whole, request: { places: 1 } })
  }

  #askPairs(group: readonly number[]): void {
    const { remote, signal } = this.#parts
    const pages = remote.pairsOfMany(
      group.map((index) => this.#keyAt(index)),
      signal
    )
    const request = { places: group.length }
    this.#requests++
    let before: Promise<unknown> = Promise.resolve()
    for (const [at, index] of group.entries()) {
      const pairs = pages.then((all) => all[at])
      pairs.catch(() => {})
      // one after the other: those of other requests are read beside them
      const mine = before.then(() => this.#parts.namesOf(this.#places[index] as Place))
      before = mine.catch(() => {})
      this.#asked.set(index, { pairs, mine, request })
    }
  }

  #forget(index: number): void {
    const request = this.#asked.get(index)?.request
    this.#asked.delete(index)
    if (request !== undefined && --request.places === 0) this.#requests--
  }

  #keyAt(index: number): TreeKey {
    return (this.#places[index] as Place).key
  }
}
