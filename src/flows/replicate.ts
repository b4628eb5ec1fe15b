// Every blob that a live image names comes to this node: newest first, from whoever holds it,
// verified before it has a name, durable before it counts as held.

import { ITEMS_MAX } from '../../protocols/blobs/limits.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { NodeError } from '../base/errors.ts'
import type { BlobPeers } from '../blob-sync/blob-peers.ts'
import { ComingBlobs } from '../blob-sync/coming-blobs.ts'
import { GrowingBlobs } from '../blob-sync/growing-blob.ts'
import { requestsOf, runsLow, type WantedBlob } from '../blob-sync/plan-wants.ts'
import { type Received, type Transfer, Transfers } from '../blob-sync/transfers.ts'
import type { WantBook } from '../blob-sync/want-book.ts'
import type { Network } from '../network/network.ts'
import type { StagedBlob } from '../store/blob-store.ts'
import { AssignWants, type Orders } from './assign-wants.ts'
import { type FetchAbout, FetchRequests } from './fetch-requests.ts'
import { followUnblocks } from './follow-unblocks.ts'
import { ReplicaKeeper, type ReplicaKeeperParts } from './keep-replica.ts'
import type { FlowParts, ReadableBlob } from './parts.ts'
import { ReadThrough } from './read-through.ts'
import { sweepPartials } from './sweep-partials.ts'
import { TakeIn } from './take-in.ts'

export interface ReplicateParts extends Pick<ReplicaKeeperParts, 'pathOf'> {
  readonly flows: FlowParts
  readonly network: Pick<Network, 'peers' | 'open'>
  readonly peers: BlobPeers
  readonly book: WantBook
  /** Whether a peer is believed to hold the blob, by what it said of itself. */
  readonly believes: (peerId: string, hash: ContentHash) => boolean
}

export interface ReplicateOptions {
  /** Blobs of one request at most, between REQUEST_ITEMS_MAX and what the protocol allows. */
  readonly batchSize: number
  /** Whether all blobs come to this disk; if not, only those that somebody reads. */
  readonly fetchAll: boolean
  /** A peer from which nothing comes for so long has failed: others are asked. */
  readonly syncTimeoutMs: number
}

const REQUEST_BYTES_MAX = 4 * 2 ** 20
const REQUEST_ITEMS_MAX = 64
/** Images that are fetched as soon as they are told of; of more the newest go first. */
const NEW_MAX = 32
/** After a full disk or another failure of this node's own. */
const PAUSE_MS = 10_000

export class Replicator {
  readonly #parts: ReplicateParts
  readonly #options: ReplicateOptions
  readonly #transfers: Transfers
  readonly #readThrough: ReadThrough
  readonly #takeIn: TakeIn
  readonly #requests: FetchRequests
  readonly #wants: AssignWants
  readonly #stop = new AbortController()
  /** Blobs that are asked for or being kept. */
  readonly #inFlight = new Map<ContentHash, number>()
  readonly #fetches = new Set<Promise<void>>()
  #pass: Promise<void> | undefined
  #again = false
  #cancelTimer: (() => void) | undefined
  #pausedUntilMs = 0

  constructor(parts: ReplicateParts, options: ReplicateOptions) {
    this.#parts = parts
    this.#options = options
    const transfers = new Transfers(parts.flows.clock)
    const growing = new GrowingBlobs({ store: parts.flows.store, signal: this.#stop.signal })
    const stallMs = options.syncTimeoutMs
    this.#transfers = transfers
    const coming = new ComingBlobs()
    const shared = { ...parts, growing, coming, transfers, keeper: new ReplicaKeeper(parts) }
    this.#takeIn = new TakeIn(shared)
    const isRead = (hash: ContentHash) => this.#readThrough.fetches(hash)
    this.#wants = new AssignWants({ ...parts, growing, isRead, inFlight: this.#inFlight })
    const pause = () => {
      this.#pausedUntilMs = parts.flows.clock.monotonicMs() + PAUSE_MS
    }
    const { signal } = this.#stop
    const failedLate = () => this.#goOn()
    this.#requests = new FetchRequests(
      { ...shared, takeIn: this.#takeIn, inFlight: this.#inFlight, failedLate, pause, signal },
      { stallMs }
    )
    const wake = () => this.wake()
    parts.flows.traffic.onChange(wake)
    followUnblocks({ ...parts, wake, signal })
    const onEnd = (hash: ContentHash) => this.#ended([hash])
    this.#readThrough = new ReadThrough({ ...shared, onEnd }, { stallMs })
  }

  /** Looks for blobs to fetch: entries have come, a peer has come, or a person asks. */
  wake(): void {
    this.#wants.restart()
    this.#goOn()
  }

  /** These are asked for, or not any more: of what is left of them others are asked. */
  #ended(hashes: readonly ContentHash[]): void {
    if (hashes.some((hash) => this.#wants.isLeft(hash))) this.wake()
    else this.#goOn()
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
    const { flows, book } = this.#parts
    const { index } = flows
    for (const hash of hashes) book.isNew(hash)
    if (hashes.length <= NEW_MAX) {
      const rows = hashes.map((hash) => ({ hash, row: index.blob(hash) }))
      this.coming(rows.flatMap(({ hash, row }) => (row?.want ? [{ hash, bytes: row.bytes }] : [])))
    }
    if (hashes.length <= NEW_MAX) this.#ended(hashes)
    else this.wake()
  }

  /** The same for wants that are still being written: what comes is kept when they are. */
  coming(blobs: readonly WantedBlob[], written?: Promise<unknown>): void {
    const { flows, book } = this.#parts
    const { store } = flows
    for (const { hash } of blobs) book.isNew(hash)
    if (this.#pass !== undefined || blobs.length > NEW_MAX || !this.#mayFetch()) return
    const orders: Orders = new Map()
    for (const blob of blobs) {
      // what is here needs another look first
      if (!store.placeOf(blob.hash)) this.#wants.give(blob, 'new', orders)
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

  async #assign(): Promise<void> {
    const { flows, book } = this.#parts
    this.#wants.begin()
    sweepPartials(flows)
    if (book.hasRoundEnded()) this.#wants.restart()
    if (!this.#mayFetch() || !this.#wants.somePeer(runsLow)) return
    const orders: Orders = new Map()
    try {
      await this.#wants.look(orders, this.#stop.signal)
    } finally {
      for (const [peerId, blobs] of orders) this.#order(peerId, blobs)
    }
  }

  #mayFetch(): boolean {
    const { flows, network } = this.#parts
    if (!this.#options.fetchAll || network.peers().length === 0) return false
    const nowMs = flows.clock.monotonicMs()
    if (flows.scanner?.keepsOut) this.#pausedUntilMs = nowMs + PAUSE_MS
    return nowMs >= this.#pausedUntilMs
  }

  #order(peerId: string, blobs: readonly WantedBlob[], about: FetchAbout = {}): void {
    // who is asked for more than ITEMS_MAX refuses all of it
    const itemsMax = Math.min(Math.max(this.#options.batchSize, REQUEST_ITEMS_MAX), ITEMS_MAX)
    for (const request of requestsOf(blobs, { itemsMax, bytesMax: REQUEST_BYTES_MAX })) {
      const fetching = this.#requests.fetch(peerId, request, about).finally(() => {
        this.#fetches.delete(fetching)
        this.#ended(request.map(({ hash }) => hash))
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
    // nothing is due while nobody can be asked; whoever comes has it look again
    const isAnyThere = restMs.some((ms) => ms <= 0)
    const nextMs = (isAnyThere ? book.nextDueMs() : undefined) ?? Number.POSITIVE_INFINITY
    const dueMs = pausedMs > 0 ? pausedMs : Math.min(nextMs, ...restMs.filter((ms) => ms > 0))
    const ms = Math.min(dueMs, this.#wants.slowedMs)
    if (ms === Number.POSITIVE_INFINITY || this.#stop.signal.aborted) return
    this.#cancelTimer = flows.clock.after(Math.max(ms, 100), () => this.#goOn())
  }
}
