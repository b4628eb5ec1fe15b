// Every blob that a live image names comes to this node: newest first, from whoever holds it,
// verified before it has a name, durable before it counts as held.

import { type BlobAnswer, BlobsClient } from '../../protocols/blobs/request.ts'
import { verified } from '../../protocols/blobs/verified.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { BLOBS_ID } from '../../protocols/ids.ts'
import { STATUS } from '../../protocols/status.ts'
import { NodeError } from '../base/errors.ts'
import type { BlobPeers } from '../blob-sync/blob-peers.ts'
import { planHolder, requestsOf, type WantedBlob } from '../blob-sync/plan-wants.ts'
import { type Received, type Transfer, Transfers } from '../blob-sync/transfers.ts'
import type { WantBook } from '../blob-sync/want-book.ts'
import type { Network } from '../network/network.ts'
import type { StagedBlob } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'

export interface ReplicateParts {
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
  /** How long a reader waits for one peer before the next is asked. */
  readonly syncTimeoutMs: number
}

/** What one peer may owe at a time: enough to keep the line full while the last batch is kept. */
const OWED_BYTES_MAX = 16 * 2 ** 20
const REQUEST_BYTES_MAX = 4 * 2 ** 20
const REQUEST_ITEMS_MAX = 64
/** Wants that are due and are looked at in one pass. */
const PASS_WANTS_MAX = 1000
/** Blobs that have come and are not yet durable: they share the syncs of the disk. */
const KEEPING_MAX = 64
const KEEPING_BYTES_MAX = 32 * 2 ** 20
/** After a full disk or another failure of this node's own. */
const PAUSE_MS = 10_000

export class Replicator {
  readonly #parts: ReplicateParts
  readonly #options: ReplicateOptions
  readonly #transfers: Transfers
  readonly #stop = new AbortController()
  /** Blobs that are asked for or being kept. */
  readonly #inFlight = new Map<ContentHash, number>()
  readonly #now = new Map<ContentHash, Promise<string | undefined>>()
  readonly #fetches = new Set<Promise<void>>()
  readonly #keeping = new Map<Promise<void>, number>()
  #pass: Promise<void> | undefined
  #again = false
  #cancelTimer: (() => void) | undefined
  #pausedUntilMs = 0

  constructor(parts: ReplicateParts, options: ReplicateOptions) {
    this.#parts = parts
    this.#options = options
    this.#transfers = new Transfers(parts.flows.clock)
  }

  /** Looks for blobs to fetch: entries have come, a peer has come, or a person asks. */
  wake(): void {
    this.#again = true
    this.#pass ??= this.#run().finally(() => {
      this.#pass = undefined
    })
  }

  /**
   * Fetches one blob at once for who waits for it: one fetch serves all of them. The id of the peer
   * that gave it; undefined if none does.
   */
  fetchNow(hash: ContentHash): Promise<string | undefined> {
    let fetching = this.#now.get(hash)
    if (fetching === undefined) {
      fetching = this.#fetchNow(hash).finally(() => this.#now.delete(hash))
      this.#now.set(hash, fetching)
    }
    return fetching
  }

  async #fetchNow(hash: ContentHash): Promise<string | undefined> {
    const { flows, network, believes } = this.#parts
    const bytes = flows.index.blob(hash)?.bytes
    const peers = network.peers().toSorted((a, b) => {
      return Number(believes(b.id, hash)) - Number(believes(a.id, hash))
    })
    for (const { id } of bytes === undefined ? [] : peers) {
      try {
        if (await this.#fetchFrom(id, hash, bytes ?? 0)) return id
      } catch (error) {
        if (this.#stop.signal.aborted) return undefined
        flows.log.debug({ peer: id, hash, err: error }, 'a reader gets this elsewhere')
      }
    }
    return undefined
  }

  /** Over a stream of its own: a reader does not wait behind bulk. */
  async #fetchFrom(peerId: string, hash: ContentHash, bytes: number): Promise<boolean> {
    const { flows, network, book } = this.#parts
    const late = new AbortController()
    const cancel = flows.clock.after(this.#options.syncTimeoutMs, () => {
      late.abort(new Error('it took longer than file_storage.sync_timeout'))
    })
    const signal = AbortSignal.any([late.signal, this.#stop.signal])
    let client: BlobsClient | undefined
    let kept = false
    try {
      client = new BlobsClient(await network.open(peerId, BLOBS_ID, signal))
      const take = async ({ status, length, body }: BlobAnswer) => {
        if (status !== STATUS.OK || length !== bytes) return
        flows.room.take(length)
        const coming = this.#transfers.counted({ hash, peerId, bytesDone: 0, bytes }, body)
        const staged = await flows.store.stage(verified(coming, hash, length), { bytesMax: length })
        this.#transfers.arrived()
        try {
          kept = await keepReplica(flows, staged)
        } finally {
          flows.store.finish(staged)
        }
      }
      await client.fetch([{ hash, offset: 0 }], take, signal)
      await client.end(signal)
    } catch (error) {
      client?.abort(error as Error)
      throw error
    } finally {
      cancel()
    }
    if (kept) book.done(hash)
    return kept
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
    await this.#pass
    await Promise.all([...this.#fetches, ...this.#keeping.keys()])
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false
      try {
        await this.#assign()
      } catch (error) {
        this.#parts.flows.log.error({ err: error }, 'could not look for blobs to fetch')
        this.#pausedUntilMs = this.#parts.flows.clock.now() + PAUSE_MS
      }
    }
    this.#sleepUntilDue()
  }

  /** One pass over the wants, newest first: each is given to a peer, or waits. */
  async #assign(): Promise<void> {
    const { flows, network } = this.#parts
    if (!this.#options.fetchAll || network.peers().length === 0) return
    if (flows.clock.now() < this.#pausedUntilMs) return
    const orders = new Map<string, WantedBlob[]>()
    let due = 0
    for await (const hash of flows.index.wants({ newestFirst: true })) {
      if (due >= PASS_WANTS_MAX || this.#stop.signal.aborted) break
      const row = flows.index.blob(hash)
      if (row === undefined || this.#inFlight.has(hash) || !this.#parts.book.isDue(hash)) continue
      const peerId = this.#holderOf(hash)
      // those that wait for their next try do not count, so that they never keep others back
      if (this.#parts.book.isDue(hash)) due++
      if (peerId === undefined) continue
      this.#inFlight.set(hash, row.bytes)
      this.#parts.peers.owes(peerId, row.bytes)
      const order = orders.get(peerId) ?? []
      orders.set(peerId, order)
      order.push({ hash, bytes: row.bytes })
    }
    for (const [peerId, blobs] of orders) this.#order(peerId, blobs)
  }

  #holderOf(hash: ContentHash): string | undefined {
    const { network, peers, book, believes, flows } = this.#parts
    const candidates = network.peers().map(({ id }) => {
      const { owedBytes, restsUntilMs } = peers.state(id)
      return { peerId: id, owedBytes, restsUntilMs, believed: believes(id, hash) }
    })
    const lacking = book.lacking(hash)
    if (candidates.every(({ peerId }) => lacking.has(peerId))) {
      book.failed(hash, 'no server that is connected has it')
      return undefined
    }
    return planHolder(candidates, lacking, flows.clock.now(), OWED_BYTES_MAX)
  }

  #order(peerId: string, blobs: readonly WantedBlob[]): void {
    const itemsMax = Math.max(this.#options.batchSize, REQUEST_ITEMS_MAX)
    for (const request of requestsOf(blobs, { itemsMax, bytesMax: REQUEST_BYTES_MAX })) {
      const fetching = this.#fetch(peerId, request).finally(() => {
        this.#fetches.delete(fetching)
        this.wake()
      })
      this.#fetches.add(fetching)
    }
  }

  async #fetch(peerId: string, request: readonly WantedBlob[]): Promise<void> {
    const { peers, book, flows } = this.#parts
    const open = new Map(request.map(({ hash, bytes }) => [hash, bytes]))
    try {
      const client = await peers.client(peerId, this.#stop.signal)
      const items = request.map(({ hash }) => ({ hash, offset: 0 }))
      const take = async (answer: BlobAnswer) => {
        await this.#take(peerId, answer, open.get(answer.hash) ?? 0)
        open.delete(answer.hash)
        peers.owes(peerId, -(request.find(({ hash }) => hash === answer.hash)?.bytes ?? 0))
      }
      await client.fetch(items, take, this.#stop.signal)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      if (isOwnFault(error)) {
        flows.log.warn({ err: error }, 'no images are fetched for a while')
        this.#pausedUntilMs = flows.clock.now() + PAUSE_MS
        peers.drop(peerId) // its stream stands in the middle of a body
        return
      }
      flows.log.debug({ peer: peerId, err: error }, 'a fetch broke off')
      peers.failed(peerId, error as Error)
      for (const hash of open.keys()) book.failed(hash, (error as Error).message)
    } finally {
      for (const [hash, bytes] of open) {
        peers.owes(peerId, -bytes)
        this.#inFlight.delete(hash)
      }
    }
  }

  /** One answer: bytes are staged while they come, and kept behind the next answer. */
  async #take(peerId: string, answer: BlobAnswer, bytes: number): Promise<void> {
    const { flows, peers, book } = this.#parts
    const { hash, status, length, body } = answer
    if (status !== STATUS.OK || length !== bytes) {
      this.#inFlight.delete(hash)
      book.lacks(hash, peerId)
      return
    }
    await this.#roomToKeep()
    flows.room.take(length)
    const coming = this.#transfers.counted({ hash, peerId, bytesDone: 0, bytes }, body)
    const staged = await flows.store.stage(coming, { bytesMax: length, signal: this.#stop.signal })
    if (staged.hash !== hash) {
      flows.store.finish(staged)
      throw new NodeError('HASH_MISMATCH', `the bytes that came for ${hash} are others`)
    }
    peers.received(peerId, length)
    this.#transfers.arrived()
    const keeping = this.#keep(staged).finally(() => {
      this.#keeping.delete(keeping)
      this.#inFlight.delete(hash)
    })
    this.#keeping.set(keeping, length)
  }

  async #roomToKeep(): Promise<void> {
    const bytes = () => [...this.#keeping.values()].reduce((sum, one) => sum + one, 0)
    while (this.#keeping.size >= KEEPING_MAX || bytes() > KEEPING_BYTES_MAX) {
      await Promise.race(this.#keeping.keys())
    }
  }

  async #keep(staged: StagedBlob): Promise<void> {
    const { flows, book } = this.#parts
    try {
      if (await keepReplica(flows, staged)) book.done(staged.hash)
    } catch (error) {
      flows.log.error({ hash: staged.hash, err: error }, 'a blob that came could not be kept')
      book.failed(staged.hash, (error as Error).message)
    } finally {
      flows.store.finish(staged)
    }
  }

  #sleepUntilDue(): void {
    this.#cancelTimer?.()
    const { flows, book } = this.#parts
    const pausedMs = this.#pausedUntilMs - flows.clock.now()
    const dueMs = pausedMs > 0 ? pausedMs : book.nextDueMs()
    if (dueMs === undefined || this.#stop.signal.aborted) return
    this.#cancelTimer = flows.clock.after(Math.max(dueMs, 100), () => this.wake())
  }
}

/** This node can't take blobs now, whoever sends them. */
function isOwnFault(error: unknown): boolean {
  const codes = ['DISK_FULL', 'DISK_FAULT', 'READ_ONLY']
  return error instanceof NodeError && codes.includes(error.code)
}

/** Makes a verified blob of a peer one of this node's own; false if nothing names it any more. */
export async function keepReplica(
  { index, store, locks, settler }: FlowParts,
  staged: StagedBlob
): Promise<boolean> {
  const { hash } = staged
  const kept = await locks.blob.run(hash, async () => {
    const row = index.blob(hash)
    if (row === undefined || row.live === 0) return false
    if (row.state === 'held' || row.state === 'trashed') return true
    const stamp = await store.publish(staged)
    await index.change((tx) => {
      if (tx.blob(hash) === undefined) return
      tx.setBlob(hash, { state: 'held', stamp, verifiedAtMs: tx.nowMs })
    })
    return true
  })
  if (kept) await settler.showAll(hash)
  return kept
}
