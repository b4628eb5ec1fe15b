// Every blob that a live image names comes to this node: newest first, from whoever holds it,
// verified before it has a name, durable before it counts as held.

import type { ContentHash } from '../../protocols/hash.ts'
import { NodeError } from '../base/errors.ts'
import type { BlobPeers, PeerConduct } from '../blob-sync/blob-peers.ts'
import { GrowingBlobs } from '../blob-sync/growing-blob.ts'
import {
  hasRoom,
  planHolder,
  purposeOf,
  requestsOf,
  runsLow,
  type WantedBlob
} from '../blob-sync/plan-wants.ts'
import type { Purpose } from '../blob-sync/traffic.ts'
import { type Received, type Transfer, Transfers } from '../blob-sync/transfers.ts'
import type { WantBook } from '../blob-sync/want-book.ts'
import { keys } from '../index/tables.ts'
import type { Network } from '../network/network.ts'
import type { StagedBlob } from '../store/blob-store.ts'
import { type FetchAbout, FetchRequests } from './fetch-requests.ts'
import { ReplicaKeeper, type ReplicaKeeperParts } from './keep-replica.ts'
import type { FlowParts, ReadableBlob } from './parts.ts'
import { ReadThrough } from './read-through.ts'
import { sweepPartials } from './sweep-partials.ts'
import { TakeIn } from './take-in.ts'
import { verifyBlob } from './verify-blob.ts'

export interface ReplicateParts extends Pick<ReplicaKeeperParts, 'pathOf'> {
  readonly flows: FlowParts
  readonly network: Pick<Network, 'peers' | 'open'>
  readonly peers: BlobPeers
  readonly book: WantBook
  /** Whether a peer is believed to hold the blob, by what it said of itself. */
  readonly believes: (peerId: string, hash: ContentHash) => boolean
}

export interface ReplicateOptions {
  /** Blobs of one request; a floor under what bytes allow. */
  readonly batchSize: number
  /** Whether all blobs come to this disk; if not, only those that somebody reads. */
  readonly fetchAll: boolean
  /** A peer from which nothing comes for so long has failed: others are asked. */
  readonly syncTimeoutMs: number
}

const REQUEST_BYTES_MAX = 4 * 2 ** 20
const REQUEST_ITEMS_MAX = 64
/** Wants that are due and are looked at in one pass. */
const PASS_WANTS_MAX = 1000
/** Images that are fetched as soon as they are told of; of more the newest go first. */
const NEW_MAX = 32
/** After a full disk or another failure of this node's own. */
const PAUSE_MS = 10_000

export class Replicator {
  readonly #parts: ReplicateParts
  readonly #options: ReplicateOptions
  readonly #transfers: Transfers
  readonly #growing: GrowingBlobs
  readonly #readThrough: ReadThrough
  readonly #takeIn: TakeIn
  readonly #requests: FetchRequests
  readonly #stop = new AbortController()
  /** Blobs that are asked for or being kept. */
  readonly #inFlight = new Map<ContentHash, number>()
  readonly #fetches = new Set<Promise<void>>()
  #pass: Promise<void> | undefined
  #again = false
  #cancelTimer: (() => void) | undefined
  #pausedUntilMs = 0
  /** The key of the want at which the last pass left off; from the newest one without it. */
  #leftAt: string | undefined
  #wakes = 0
  /** After so long something may be asked for that a limit kept back in the last pass. */
  #slowedMs = Number.POSITIVE_INFINITY

  constructor(parts: ReplicateParts, options: ReplicateOptions) {
    this.#parts = parts
    this.#options = options
    const transfers = new Transfers(parts.flows.clock)
    const growing = new GrowingBlobs({ store: parts.flows.store, signal: this.#stop.signal })
    const stallMs = options.syncTimeoutMs
    this.#transfers = transfers
    this.#growing = growing
    const shared = { ...parts, growing, transfers, keeper: new ReplicaKeeper(parts) }
    this.#takeIn = new TakeIn(shared)
    const pause = () => {
      this.#pausedUntilMs = parts.flows.clock.monotonicMs() + PAUSE_MS
    }
    const { signal } = this.#stop
    const failedLate = () => this.#goOn()
    this.#requests = new FetchRequests(
      { ...shared, takeIn: this.#takeIn, inFlight: this.#inFlight, failedLate, pause, signal },
      { stallMs }
    )
    parts.flows.traffic.onChange(() => this.wake())
    const onEnd = () => this.wake()
    this.#readThrough = new ReadThrough({ ...shared, onEnd }, { stallMs })
  }

  /** Looks for blobs to fetch: entries have come, a peer has come, or a person asks. */
  wake(): void {
    this.#leftAt = undefined
    this.#wakes++
    this.#goOn()
  }

  /** Looks for more where the last pass left off. */
  #goOn(): void {
    this.#again = true
    this.#pass ??= this.#run().finally(() => {
      this.#pass = undefined
      // asked after the last look
      if (this.#again && !this.#stop.signal.aborted) this.#goOn()
    })
  }

  /** Images have come to be: their blobs are fetched without a look at all others. */
  came(hashes: readonly ContentHash[]): void {
    const { index } = this.#parts.flows
    if (hashes.length <= NEW_MAX) {
      const rows = hashes.map((hash) => ({ hash, row: index.blob(hash) }))
      this.coming(rows.flatMap(({ hash, row }) => (row?.want ? [{ hash, bytes: row.bytes }] : [])))
    }
    this.wake()
  }

  /** The same for wants that are still being written: what comes is kept when they are. */
  coming(blobs: readonly WantedBlob[], written?: Promise<unknown>): void {
    const { store } = this.#parts.flows
    if (this.#pass !== undefined || blobs.length > NEW_MAX || !this.#mayFetch()) return
    const orders = new Map<string, WantedBlob[]>()
    for (const blob of blobs) {
      // what is here needs another look first
      if (this.#isDue(blob.hash) && !store.placeOf(blob.hash)) this.#give(blob, 'new', orders)
    }
    for (const [peerId, some] of orders) this.#order(peerId, some, { written, isNew: true })
  }

  /** As ReadThrough.fetch, but that nothing is thrown. */
  async fetchNow(hash: ContentHash): Promise<string | undefined> {
    try {
      return await this.#readThrough.fetch(hash)
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        this.#parts.flows.log.warn({ hash, err: error }, 'a blob could not be fetched')
      }
      return undefined
    }
  }

  /** See ReadThrough.open. */
  open(hash: ContentHash): Promise<{ peerId: string; blob: ReadableBlob } | undefined> {
    return this.#readThrough.open(hash)
  }

  /** See ReadThrough.bring. */
  bring(
    hash: ContentHash,
    bytes: number,
    peerIds: readonly string[]
  ): Promise<StagedBlob | undefined> {
    return this.#readThrough.bring(hash, bytes, peerIds)
  }

  /** When it fetches again, where this node itself could not take what came; a monotonic time. */
  get pausedUntilMs(): number | undefined {
    const untilMs = this.#pausedUntilMs
    return untilMs > this.#parts.flows.clock.monotonicMs() ? untilMs : undefined
  }

  /** Blobs whose bytes are coming now; at most some hundred. */
  transfers(): readonly Transfer[] {
    return this.#transfers.list()
  }

  /** Bytes a second that come from all peers together, smoothed over about ten seconds. */
  receiveRate(): number {
    return this.#transfers.rate
  }

  /** What has come from peers since the start. */
  received(): Received {
    return this.#transfers.received
  }

  /** Blobs on their way: hash and size. */
  get inFlight(): ReadonlyMap<ContentHash, number> {
    return this.#inFlight
  }

  async stop(): Promise<void> {
    this.#stop.abort(new NodeError('STOPPING', 'The node is stopping.'))
    this.#cancelTimer?.()
    this.#parts.peers.stop()
    await Promise.all([this.#pass, this.#readThrough.stop()])
    await Promise.all(this.#fetches)
    await this.#takeIn.idle()
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false
      try {
        await this.#assign()
      } catch (error) {
        this.#parts.flows.log.error({ err: error }, 'could not look for blobs to fetch')
        this.#pausedUntilMs = this.#parts.flows.clock.monotonicMs() + PAUSE_MS
      }
    }
    this.#sleepUntilDue()
  }

  /**
   * One pass over the wants, newest first: each is given to a peer, or waits. It goes on where the
   * last one left off: wants that are fulfilled leave marks in the database, and to pass over those
   * of 100,000 takes it a tenth of a second.
   */
  async #assign(): Promise<void> {
    const { flows, book } = this.#parts
    this.#slowedMs = Number.POSITIVE_INFINITY
    sweepPartials(flows)
    // what is due and never comes would have it look again and again
    book.sweep((hash) => this.#isWanted(hash))
    if (!this.#mayFetch() || !this.#somePeer(runsLow)) return
    const orders = new Map<string, WantedBlob[]>()
    const [wakes, upTo] = [this.#wakes, this.#leftAt]
    let leftAt: string | undefined
    let due = 0
    for await (const hash of flows.index.wants({ newestFirst: true, ...(upTo && { upTo }) })) {
      if (!this.#isDue(hash)) continue
      const row = flows.index.blob(hash)
      // what is read may have come since the reading began
      if (row?.want === undefined) continue
      const place = keys.want(row.want, hash)
      if (due >= PASS_WANTS_MAX || this.#stop.signal.aborted || !this.#somePeer(hasRoom)) {
        leftAt ??= place
        break
      }
      if (await this.#isHere(hash)) continue
      const purpose = purposeOf({ state: row.state, want: row.want }, flows.clock.now())
      const isGiven = this.#give({ hash, bytes: row.bytes }, purpose, orders)
      // those that wait for their next try do not count, so that they never keep others back
      if (!book.isDue(hash)) continue
      due++
      if (!isGiven) leftAt ??= place
    }
    if (wakes === this.#wakes) this.#leftAt = leftAt
    for (const [peerId, blobs] of orders) this.#order(peerId, blobs)
  }

  /** Whether a blob that is wanted is to be fetched now, if anybody has it. */
  #isDue(hash: ContentHash): boolean {
    const { flows, book } = this.#parts
    if (flows.blocks.has(hash)) return false
    return !this.#inFlight.has(hash) && !this.#growing.has(hash) && book.isDue(hash)
  }

  #isLeft(hash: ContentHash): boolean {
    return this.#isDue(hash) && this.#isWanted(hash)
  }

  #isWanted(hash: ContentHash): boolean {
    const { blocks, index } = this.#parts.flows
    return !blocks.has(hash) && index.blob(hash)?.want !== undefined
  }

  /** Adds the blob to what a peer is asked for, if there is one that may have it, and no limit. */
  #give(blob: WantedBlob, purpose: Purpose, orders: Map<string, WantedBlob[]>): boolean {
    const { hash, bytes } = blob
    const { traffic } = this.#parts.flows
    const waitMs = traffic.waitMs(purpose)
    this.#slowedMs = Math.min(this.#slowedMs, waitMs || Number.POSITIVE_INFINITY)
    const peerId = waitMs > 0 ? undefined : this.#holderOf(hash, purpose)
    if (peerId === undefined) return false
    traffic.asked(purpose, peerId, bytes)
    this.#inFlight.set(hash, bytes)
    this.#parts.peers.owes(peerId, bytes)
    const order = orders.get(peerId) ?? []
    orders.set(peerId, order)
    order.push({ ...blob, purpose })
    return true
  }

  #mayFetch(): boolean {
    const { flows, network } = this.#parts
    if (!this.#options.fetchAll || network.peers().length === 0) return false
    return flows.clock.monotonicMs() >= this.#pausedUntilMs
  }

  /** Peers that rest, or owe too much for it, wake this later. */
  #somePeer(isFit: (peer: PeerConduct) => boolean): boolean {
    const { network, peers } = this.#parts
    return network.peers().some(({ id }) => isFit(peers.state(id)))
  }

  /** An index that was lost leaves its blobs: those that are right need not come again. */
  async #isHere(hash: ContentHash): Promise<boolean> {
    const { flows } = this.#parts
    if (flows.store.stamp(hash) === undefined) return false
    const { state } = await verifyBlob({ ...flows, remote: undefined }, hash, this.#stop.signal)
    return state === 'held'
  }

  #holderOf(hash: ContentHash, purpose: Purpose): string | undefined {
    const { network, peers, book, believes, flows } = this.#parts
    const candidates = network.peers().map(({ id }) => {
      const slowedMs = flows.traffic.waitMsOf(id)
      this.#slowedMs = Math.min(this.#slowedMs, slowedMs || Number.POSITIVE_INFINITY)
      return { peerId: id, ...peers.state(id), believed: believes(id, hash), slowedMs }
    })
    const lacking = book.lacking(hash)
    if (candidates.every(({ peerId }) => lacking.has(peerId))) {
      book.failed(hash, 'no server that is connected has it', 'nobody')
      return undefined
    }
    return planHolder(candidates, lacking, flows.clock.monotonicMs(), purpose)
  }

  #order(peerId: string, blobs: readonly WantedBlob[], about: FetchAbout = {}): void {
    const itemsMax = Math.max(this.#options.batchSize, REQUEST_ITEMS_MAX)
    for (const request of requestsOf(blobs, { itemsMax, bytesMax: REQUEST_BYTES_MAX })) {
      const fetching = this.#requests.fetch(peerId, request, about).finally(() => {
        this.#fetches.delete(fetching)
        // others are asked for what one could not give
        if (request.some(({ hash }) => this.#isLeft(hash))) this.wake()
        else this.#goOn()
      })
      this.#fetches.add(fetching)
    }
  }

  #sleepUntilDue(): void {
    this.#cancelTimer?.()
    const { flows, book, network, peers } = this.#parts
    const nowMs = flows.clock.monotonicMs()
    const pausedMs = this.#pausedUntilMs - nowMs
    const restMs = network.peers().map(({ id }) => peers.state(id).restsUntilMs - nowMs)
    const waitsMs = [book.nextDueMs() ?? Number.POSITIVE_INFINITY, ...restMs.filter((ms) => ms > 0)]
    const dueMs = pausedMs > 0 ? pausedMs : Math.min(...waitsMs)
    const ms = Math.min(dueMs, this.#slowedMs)
    if (ms === Number.POSITIVE_INFINITY || this.#stop.signal.aborted) return
    const goOn = () => (ms < dueMs ? this.#goOn() : this.wake())
    this.#cancelTimer = flows.clock.after(Math.max(ms, 100), goOn)
  }
}
