// Looks over the blobs that this node lacks, newest first, and gives each to a peer, or lets it
// wait.

import type { ContentHash } from '../../protocols/hash.ts'
import type { BlobPeers } from '../blob-sync/blob-peers.ts'
import type { GrowingBlobs } from '../blob-sync/growing-blob.ts'
import type { PeerConduct } from '../blob-sync/peer-state.ts'
import {
  hasRoom,
  owedFor,
  planHolder,
  purposeOf,
  type WantedBlob
} from '../blob-sync/plan-wants.ts'
import type { Purpose } from '../blob-sync/traffic.ts'
import type { WantBook } from '../blob-sync/want-book.ts'
import { keys } from '../index/tables.ts'
import type { Network } from '../network/network.ts'
import { SMALL_BLOB_BYTES_MAX } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'
import { verifyBlob } from './verify-blob.ts'

export interface AssignWantsParts {
  readonly flows: FlowParts
  readonly network: Pick<Network, 'peers'>
  readonly peers: BlobPeers
  readonly book: WantBook
  readonly growing: Pick<GrowingBlobs, 'has'>
  /** Whether it is fetched for a reader, and kept then. */
  readonly isRead: (hash: ContentHash) => boolean
  /** Blobs that are asked for or being kept. */
  readonly inFlight: Map<ContentHash, number>
  /** Whether a peer is believed to hold the blob, by what it said of itself. */
  readonly believes: (peerId: string, hash: ContentHash) => boolean
}

/** What each peer is to be asked for. */
export type Orders = Map<string, WantedBlob[]>

/** Wants that were not tried yet and are looked at in one pass. */
const PASS_WANTS_MAX = 1000
/** Those that were tried and are passed over in one pass: of 1,000 in some 2 ms. */
const PASS_WAITING_MAX = 2000
/** Those that are due again and are looked at before it: it is never kept waiting for long. */
const RETRIES_MAX = 250
/** Behind as many that wait, all others are looked over at most so often. */
const BEHIND_EVERY_MS = 10_000

interface Pass {
  /** The key of the first want that was not given to anybody; undefined if all were. */
  readonly leftAt: string | undefined
  /** Where it had seen enough; undefined if it came to the end, or no peer has room. */
  readonly enoughAt: string | undefined
  /** Where no peer had room any more. */
  readonly fullAt?: string
}

export class AssignWants {
  readonly #parts: AssignWantsParts
  /** Where the last pass left off; from the newest one without it. */
  #leftAt: string | undefined
  #restarts = 0
  /** All that were not tried yet have been given to somebody. */
  #isDone = false
  /** Where the look behind those that wait goes on. */
  #behindAt: string | undefined
  #behindNextMs = 0
  #slowedMs = Number.POSITIVE_INFINITY

  constructor(parts: AssignWantsParts) {
    this.#parts = parts
  }

  /** After so long something may be asked for that had to wait. */
  get slowedMs(): number {
    return this.#slowedMs
  }

  /** The next look begins with the newest want. */
  restart(): void {
    this.#leftAt = undefined
    this.#isDone = false
    this.#restarts++
  }

  /** Nothing is known to wait. */
  begin(): void {
    this.#slowedMs = Number.POSITIVE_INFINITY
  }

  /**
   * Adds to `orders`, also where it throws what the index throws. It goes on where the last one
   * left off: wants that are fulfilled leave marks in the database, and to pass over those of
   * 100,000 takes it a tenth of a second.
   */
  async look(orders: Orders, signal: AbortSignal): Promise<void> {
    await this.#retry(orders, signal)
    if (this.#isDone) return
    const restarts = this.#restarts
    const { leftAt, enoughAt } = await this.#pass(this.#leftAt, orders, signal)
    if (restarts === this.#restarts) {
      this.#leftAt = leftAt
      this.#isDone = leftAt === undefined
    }
    if (enoughAt === undefined) return
    await this.#lookBehind(enoughAt, orders, signal)
    // with nothing left in front of it the next look goes on there
    if (leftAt === enoughAt) this.#slowedMs = 0
  }

  /** What is due again, whoever lacked it before. */
  async #retry(orders: Orders, signal: AbortSignal): Promise<void> {
    const { flows, book } = this.#parts
    const nowMs = flows.clock.monotonicMs()
    if (!this.somePeer((peer) => peer.restsUntilMs <= nowMs && hasRoom(peer))) return
    for (const hash of book.takeDue(RETRIES_MAX)) {
      if (signal.aborted) return
      const row = flows.index.blob(hash)
      if (row?.want === undefined || flows.blocks.has(hash)) {
        book.done(hash) // nobody wants it any more
        continue
      }
      if (!this.#isDue(hash) || (await this.#isHere(hash, signal))) continue
      const purpose = purposeOf({ state: row.state, want: row.want }, flows.clock.now())
      this.give({ hash, bytes: row.bytes }, purpose, orders)
    }
  }

  /**
   * Behind many that wait for a limit there may be some that need not: a part of all of them each
   * time, whatever else has this node look again from the newest one on.
   */
  async #lookBehind(enoughAt: string, orders: Orders, signal: AbortSignal): Promise<void> {
    if (!this.#mayBeBehind()) {
      this.#slowedMs = Math.min(this.#slowedMs, BEHIND_EVERY_MS)
      return
    }
    const nowMs = this.#parts.flows.clock.monotonicMs()
    if (this.#behindAt === undefined) {
      const waitMs = this.#behindNextMs - nowMs
      this.#slowedMs = Math.min(this.#slowedMs, Math.max(waitMs, 0))
      if (waitMs > 0) return
      this.#behindNextMs = nowMs + BEHIND_EVERY_MS
    }
    // what waits in front has become less, or more
    const upTo =
      this.#behindAt !== undefined && this.#behindAt < enoughAt ? this.#behindAt : enoughAt
    const behind = await this.#pass(upTo, orders, signal)
    this.#behindAt = behind.enoughAt ?? behind.fullAt
    if (behind.enoughAt !== undefined) this.#slowedMs = 0
  }

  /** What is new is in front of all others; and where nobody may be asked, nothing is found. */
  #mayBeBehind(): boolean {
    const { network, peers, flows } = this.#parts
    const { index, traffic, clock } = flows
    const nowMs = clock.monotonicMs()
    const mayBeAsked = (id: string) =>
      peers.state(id).restsUntilMs <= nowMs && traffic.waitMsOf(id) === 0
    if (!network.peers().some(({ id }) => mayBeAsked(id))) return false
    if (traffic.waitMs('catch_up') === 0) return true
    const { damagedImages, missingImages } = index.counts()
    return damagedImages + missingImages > 0 && traffic.waitMs('repair') === 0
  }

  async #pass(upTo: string | undefined, orders: Orders, signal: AbortSignal): Promise<Pass> {
    const { flows, book } = this.#parts
    let leftAt: string | undefined
    let due = 0
    let waiting = 0
    for await (const hash of flows.index.wants({ newestFirst: true, ...(upTo && { upTo }) })) {
      const isKnown = book.isKnown(hash)
      if (isKnown) waiting++
      const isEnough = waiting > PASS_WAITING_MAX
      if (!isEnough && (isKnown || !this.#isDue(hash))) continue
      const row = flows.index.blob(hash)
      // what is read may have come since the reading began
      if (row?.want === undefined) continue
      const place = keys.want(row.want, hash)
      if (signal.aborted || !this.somePeer(hasRoom)) {
        return { leftAt: leftAt ?? place, enoughAt: undefined, fullAt: place }
      }
      if (isEnough || due >= PASS_WANTS_MAX) return { leftAt: leftAt ?? place, enoughAt: place }
      if (await this.#isHere(hash, signal)) continue
      const purpose = purposeOf({ state: row.state, want: row.want }, flows.clock.now())
      const isGiven = this.give({ hash, bytes: row.bytes }, purpose, orders)
      // those that wait for their next try do not count, so that they never keep others back
      if (!book.isDue(hash)) continue
      due++
      if (!isGiven) leftAt ??= place
    }
    return { leftAt, enoughAt: undefined }
  }

  /**
   * Adds a blob that is to be fetched now to what a peer is asked for, if there is one that may
   * have it, and no limit.
   */
  give(blob: WantedBlob, purpose: Purpose, orders: Orders): boolean {
    const { hash, bytes } = blob
    if (!this.#isDue(hash)) return false
    const { traffic, scanner } = this.#parts.flows
    if (scanner?.keepsOutBytes(bytes)) {
      // it would come whole to be refused, again and again
      this.#parts.book.failed(hash, 'the virus scanner takes no image as large')
      return false
    }
    const waitMs = traffic.waitMs(purpose)
    this.#slowedMs = Math.min(this.#slowedMs, waitMs || Number.POSITIVE_INFINITY)
    const peerId = waitMs > 0 ? undefined : this.#holderOf(hash, purpose)
    if (peerId === undefined) return false
    traffic.asked(purpose, peerId, bytes)
    this.#parts.inFlight.set(hash, bytes)
    const isSlow = bytes > SMALL_BLOB_BYTES_MAX && traffic.isSlow(purpose, peerId, bytes)
    if (!isSlow) this.#parts.peers.owes(peerId, owedFor(bytes))
    const order = orders.get(peerId) ?? []
    orders.set(peerId, order)
    order.push({ ...blob, purpose, isSlow })
    return true
  }

  /** Whether it is wanted, and only a look from the newest one on finds it. */
  isLeft(hash: ContentHash): boolean {
    const { book, flows } = this.#parts
    if (book.isKnown(hash) || !this.#isDue(hash)) return false
    return flows.index.blob(hash)?.want !== undefined
  }

  /** Peers that rest, or owe too much for it, have it look again later. */
  somePeer(isFit: (peer: PeerConduct) => boolean): boolean {
    const { network, peers } = this.#parts
    return network.peers().some(({ id }) => isFit(peers.state(id)))
  }

  /** Whether a blob that is wanted is to be fetched now, if anybody has it. */
  #isDue(hash: ContentHash): boolean {
    const { flows, book, inFlight, growing, isRead } = this.#parts
    if (flows.blocks.has(hash) || inFlight.has(hash)) return false
    return !growing.has(hash) && !isRead(hash) && book.isDue(hash)
  }

  /**
   * An index that was lost leaves its blobs: those that are right need not come again. A file that
   * can't be looked at keeps none of the others back.
   */
  async #isHere(hash: ContentHash, signal: AbortSignal): Promise<boolean> {
    const { flows, book } = this.#parts
    try {
      if (flows.store.stamp(hash) === undefined) return false
      const { state } = await verifyBlob({ ...flows, remote: undefined }, hash, signal)
      return state === 'held'
    } catch (error) {
      if (signal.aborted) throw error
      flows.log.error({ hash, err: error }, 'the file of a blob that is lacking can not be read')
      book.failed(hash, (error as Error).message)
      return false
    }
  }

  #holderOf(hash: ContentHash, purpose: Purpose): string | undefined {
    const { network, peers, book, believes, flows } = this.#parts
    const candidates = network.peers().map(({ id, latencyMs }) => {
      const slowedMs = flows.traffic.waitMsOf(id)
      this.#slowedMs = Math.min(this.#slowedMs, slowedMs || Number.POSITIVE_INFINITY)
      const about = { latencyMs, believed: believes(id, hash), slowedMs }
      return { peerId: id, ...peers.state(id), ...about }
    })
    const lacking = book.lacking(hash)
    if (candidates.every(({ peerId }) => lacking.has(peerId))) {
      book.nobodyHas(hash)
      return undefined
    }
    return planHolder(candidates, lacking, flows.clock.monotonicMs(), purpose)
  }
}
