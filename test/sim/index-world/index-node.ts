// One node of an index world: the real index, exchange and pushes over a disk and a network in
// memory. Its disk outlives it, its lives end anywhere.

import { type EntryRef, refOf } from '../../../protocols/entries/entry-ref.ts'
import type { Entry } from '../../../protocols/entry.ts'
import { type Clock, type Random, sleep } from '../../../src/base/clock.ts'
import { noFailPoints } from '../../../src/base/fail-point.ts'
import { silentLog } from '../../../src/base/log.ts'
import { announce, hasRecord, memberDatabases, wasRemoved } from '../../../src/flows/members.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { openIndex } from '../../../src/index/open-index.ts'
import type { News } from '../../../src/index/transaction.ts'
import { IndexSync } from '../../../src/index-sync/index-sync.ts'
import { MemoryNetwork } from '../../../src/network/memory-network.ts'
import type { MemoryWire } from '../../../src/network/memory-wire.ts'
import type { Network } from '../../../src/network/network.ts'
import type { ManualClock } from '../../support/manual-clock.ts'
import { type Rows, WorldLevel } from './world-level.ts'
import type { Stored } from './world-table.ts'

/** Parts of a node in place of its own, to see that what they lack is noticed. */
export interface Sabotage {
  readonly index?: (index: ImageIndex) => ImageIndex
  readonly network?: (network: Network) => Network
}

export interface IndexNodeParts {
  /** The writer of its entries. */
  readonly id: string
  /** Where it is found: a twin has the same id at another place. */
  readonly place: string
  readonly wire: MemoryWire
  readonly clock: ManualClock
  readonly random: Random
  readonly skewMs: number
  readonly pause: () => Promise<void> | undefined
  readonly sabotage: Sabotage
  /** Hears of what has become current, once it is durable. */
  readonly onNews: (news: readonly News[]) => void
  /** Hears of what it has acknowledged to others. */
  readonly onTaken: (entries: readonly Entry[]) => void
  /** Hears of images that another node, to which it has offered them, may have forgotten. */
  readonly onVerdict: (images: readonly EntryRef[], from: string) => void
  readonly onRow: (key: string, value: Stored | undefined) => void
}

interface Life {
  readonly index: ImageIndex
  readonly network: MemoryNetwork
  readonly sync: IndexSync
  readonly timers: Timers
}

/** In which a node with another folder has said that it is there: others may meet it meanwhile. */
export const INTRODUCED_MS_MAX = 2000
const NO_WANTS = { wantsFiles: 0, wantsBytes: 0, wantRanges: [] }
const noWants = async () => NO_WANTS

export class IndexNode {
  readonly id: string
  readonly place: string
  readonly #parts: IndexNodeParts
  #level: WorldLevel
  #life: Life | undefined
  #aheadMs: number

  constructor(parts: IndexNodeParts, level: WorldLevel) {
    this.id = parts.id
    this.place = parts.place
    this.#parts = parts
    this.#level = level
    this.#aheadMs = parts.skewMs
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  get life(): Life {
    if (this.#life === undefined) throw new Error(`${this.place} is down`)
    return this.#life
  }

  get level(): WorldLevel {
    return this.#level
  }

  get address(): string {
    return `/memory/${this.place}/p2p/${this.id}`
  }

  async start(): Promise<void> {
    const { id, place, wire, random, sabotage, pause, onRow, onNews, onTaken } = this.#parts
    const { onVerdict } = this.#parts
    const level = this.#level
    level.pause = pause
    level.onRow = onRow
    const timers = new Timers(this.#parts.clock, () => this.#aheadMs)
    const base = { clock: timers, random, log: silentLog, failPoints: noFailPoints }
    const own = await openIndex(
      { ...base, database: level.database, requireWritable: () => {} },
      { writer: id }
    )
    if (level !== this.#level) return // it died meanwhile
    const index = sabotage.index?.(own) ?? own
    const network = new MemoryNetwork({ wire, log: silentLog }, { id, place })
    own.onNews(onNews)
    const sync = new IndexSync({
      ...base,
      index,
      network: sabotage.network?.(network) ?? network,
      wants: noWants,
      members: memberDatabases,
      wasRemoved,
      hasRecord,
      onMerged: () => {},
      reportMsMax: 60_000
    })
    const push = sync.push.bind(sync)
    sync.push = async (entries, sentTo, from) => {
      const verdict = await push(entries, sentTo, from)
      const refused = new Set(verdict?.refs.map(nameOfRef))
      const taken = entries.filter((entry) => !refused.has(nameOfRef(refOf(entry))))
      if (this.#life?.sync === sync) onTaken(taken)
      return verdict
    }
    const review = sync.review.bind(sync)
    sync.review = (verdict, from) => {
      onVerdict(verdict.refs, from)
      return review(verdict, from)
    }
    this.#life = { index, network, sync, timers }
    await network.start()
  }

  /** Writes its own record, so that all know of it; not if it was removed. */
  async introduce(afterMs = 0): Promise<void> {
    const { index, timers } = this.life
    if (afterMs > 0) await sleep(timers, afterMs)
    for await (const { name } of index.deletedRecords(`member/${this.id}`)) {
      if (name === `member/${this.id}`) return
    }
    await announce(index, {
      ...{ id: this.id, name: this.id, database: index.databaseId(), addresses: [] }
    })
  }

  /** In the middle of everything. */
  die(): void {
    const { network, timers } = this.life
    this.#level.die()
    timers.end()
    this.#parts.wire.detach(network)
    this.#life = undefined
  }

  /** What its next life finds. */
  putDisk(rows: Rows): void {
    this.#level = new WorldLevel(rows)
  }

  jump(byMs: number): void {
    this.#aheadMs += byMs
  }

  /** Its clock is right from now on. */
  setClock(): void {
    this.#aheadMs = 0
  }

  async stop(): Promise<void> {
    const { sync, network, index } = this.life
    await sync.stop()
    await network.stop()
    await index.close()
    this.#life = undefined
  }
}

export function nameOfRef({ version, pathHash }: EntryRef): string {
  return `${version} ${pathHash}`
}

/** A clock whose timers end with the node. */
class Timers implements Clock {
  readonly #clock: ManualClock
  readonly #offsetMs: () => number
  readonly #set = new Set<() => void>()
  #ended = false

  constructor(clock: ManualClock, offsetMs: () => number) {
    this.#clock = clock
    this.#offsetMs = offsetMs
  }

  now(): number {
    return this.#clock.now() + this.#offsetMs()
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  after(ms: number, task: () => void): () => void {
    if (this.#ended) return () => {}
    const cancel = this.#clock.after(ms, () => {
      this.#set.delete(cancel)
      task()
    })
    this.#set.add(cancel)
    return () => {
      this.#set.delete(cancel)
      cancel()
    }
  }

  end(): void {
    this.#ended = true
    for (const cancel of this.#set) cancel()
  }
}
