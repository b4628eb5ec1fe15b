// A reader's miss: the blob is asked of one holder after the other, goes on where the last one
// broke off, and is read while it comes. One fetch serves all who wait.

import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import { verified } from '../../protocols/blobs/verified.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { STATUS } from '../../protocols/status.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { NodeError } from '../base/errors.ts'
import type { BlobPeers } from '../blob-sync/blob-peers.ts'
import type { GrowingBlob, GrowingBlobs } from '../blob-sync/growing-blob.ts'
import { planReadOrder } from '../blob-sync/plan-wants.ts'
import { ReaderLines, type ReaderLinesOptions } from '../blob-sync/reader-lines.ts'
import type { Transfers } from '../blob-sync/transfers.ts'
import type { Network } from '../network/network.ts'
import { type NamelessBlob, SMALL_BLOB_BYTES_MAX, type StagedBlob } from '../store/blob-store.ts'
import { isOwnFault, type ReplicaKeeper } from './keep-replica.ts'
import { orPassedOn } from './or-passed-on.ts'
import type { FlowParts, ReadableBlob } from './parts.ts'
import { type PassOnParts, passOn } from './pass-on.ts'
import { openTrusted } from './read.ts'
import { Unneeded } from './take-in.ts'

export interface ReadThroughParts {
  readonly flows: FlowParts
  readonly network: Pick<Network, 'peers' | 'open'>
  readonly peers: BlobPeers
  readonly keeper: ReplicaKeeper
  readonly growing: GrowingBlobs
  readonly transfers: Transfers
  /** Whether a peer is believed to hold the blob, by what it said of itself. */
  readonly believes: (peerId: string, hash: ContentHash) => boolean
  /** Hears that a fetch has ended, however it did. */
  readonly onEnd: () => void
}

/** Blobs that turned out wrong in the end are begun anew this often. */
const WRONG_MAX = 3

export class ReadThrough {
  readonly #parts: ReadThroughParts
  readonly #lines: ReaderLines
  readonly #passing: PassOnParts
  readonly #stop = new AbortController()
  readonly #runs = new Map<ContentHash, Promise<string | undefined>>()

  constructor(parts: ReadThroughParts, options: ReaderLinesOptions) {
    this.#parts = parts
    const { clock, traffic } = parts.flows
    const { signal } = this.#stop
    this.#lines = new ReaderLines({ ...parts, clock, traffic, signal }, options)
    this.#passing = {
      flows: parts.flows,
      lines: this.#lines,
      transfers: parts.transfers,
      holders: (hash) => this.#holders(hash, new Set()),
      blaming: (peerId, hash, ask) => this.#blaming(peerId, hash, ask)
    }
  }

  /**
   * Fetches a blob and keeps it; the id of the peer that gave it, undefined if none does. Throws
   * what this node's own disk has against it.
   */
  fetch(hash: ContentHash): Promise<string | undefined> {
    const bytes = this.#parts.flows.index.blob(hash)?.bytes
    return bytes === undefined ? Promise.resolve(undefined) : this.#run(hash, bytes)
  }

  /**
   * The blob, and the peer that sends it; undefined if none does. Large ones can be read as soon as
   * the first peer has answered: then a read throws NOT_AVAILABLE if nobody can send it to its end,
   * before its last byte. What can't be kept here is passed on.
   */
  async open(hash: ContentHash): Promise<{ peerId: string; blob: ReadableBlob } | undefined> {
    const { flows, growing } = this.#parts
    const bytes = flows.index.blob(hash)?.bytes
    if (bytes === undefined) return undefined
    // what replication has begun with goes on, as long as it can
    const isComing = growing.has(hash)
    if (!isComing && !this.#canKeep(bytes)) return passOn(this.#passing, hash, bytes)
    try {
      // a virus scanner sees all of it before anybody reads any of it
      const isWhole = bytes <= SMALL_BLOB_BYTES_MAX || flows.scanner?.seesArrived === true
      return await (isWhole ? this.#openKept(hash, bytes) : this.#openLarge(hash, bytes))
    } catch (error) {
      if (!isOwnFault(error)) throw error
      return passOn(this.#passing, hash, bytes) // it can't be kept here, but it can be read
    }
  }

  /** Whether there is any use in trying. */
  #canKeep(bytes: number): boolean {
    const { room, brakes, store } = this.#parts.flows
    try {
      brakes.requireDisk()
      room.demand(bytes)
      return store.fault === undefined
    } catch {
      return false
    }
  }

  async #openLarge(
    hash: ContentHash,
    bytes: number
  ): Promise<{ peerId: string; blob: ReadableBlob } | undefined> {
    const shared = this.#parts.growing.enter(hash, bytes)
    const reader = shared.reader()
    try {
      await Promise.race([shared.begun(), this.#run(hash, bytes)])
      // it may have come to an end at the moment at which this one joined it
      if (shared.from === undefined) await Promise.race([shared.begun(), this.#run(hash, bytes)])
    } catch (error) {
      reader.close()
      throw error
    }
    const { from: peerId, failure } = shared
    if (peerId !== undefined && failure === undefined) {
      return { peerId, blob: orPassedOn(reader, () => passOn(this.#passing, hash, bytes)) }
    }
    reader.close()
    if (isOwnFault(failure)) throw failure
    return undefined
  }

  /**
   * The bytes of a blob that nothing need name here, from one of these peers; undefined if none
   * sends it. Whoever calls finishes it. Throws as `fetch` does.
   */
  async bring(
    hash: ContentHash,
    bytes: number,
    peerIds: readonly string[]
  ): Promise<StagedBlob | undefined> {
    const { transfers, peers } = this.#parts
    for (const peerId of peerIds) {
      const staged = await this.#stageFrom(peerId, hash, bytes)
      if (staged === undefined) continue
      transfers.arrived()
      peers.received(peerId, bytes)
      return staged
    }
    return undefined
  }

  async stop(): Promise<void> {
    this.#stop.abort(new NodeError('STOPPING', 'The node is stopping.'))
    await Promise.allSettled(this.#runs.values())
  }

  #run(hash: ContentHash, bytes: number): Promise<string | undefined> {
    let run = this.#runs.get(hash)
    if (run === undefined) {
      const fetching =
        bytes > SMALL_BLOB_BYTES_MAX ? this.#large(hash, bytes) : this.#small(hash, bytes)
      run = fetching.finally(() => {
        this.#runs.delete(hash)
        this.#parts.onEnd()
      })
      this.#runs.set(hash, run)
      run.catch(() => {}) // who waits for it hears of it
    }
    return run
  }

  async #openKept(
    hash: ContentHash,
    bytes: number
  ): Promise<{ peerId: string; blob: ReadableBlob } | undefined> {
    const peerId = await this.#run(hash, bytes)
    const blob = peerId === undefined ? undefined : openTrusted(this.#parts.flows, hash)
    return peerId === undefined || blob === undefined ? undefined : { peerId, blob }
  }

  async #small(hash: ContentHash, bytes: number): Promise<string | undefined> {
    for (const { peerId } of this.#holders(hash, new Set())) {
      const staged = await this.#stageFrom(peerId, hash, bytes)
      if (staged !== undefined && (await this.#keep(peerId, staged))) return peerId
    }
    return undefined
  }

  #stageFrom(peerId: string, hash: ContentHash, bytes: number): Promise<StagedBlob | undefined> {
    const { room, store } = this.#parts.flows
    return this.#bring(peerId, hash, bytes, (body) => {
      room.take(bytes)
      return store.stage(body, { bytesMax: bytes })
    })
  }

  /** Small ones share a stream, for one of its own would cost more than the blob. */
  async #bring<T>(
    peerId: string,
    hash: ContentHash,
    bytes: number,
    use: (body: AsyncIterable<Uint8Array>) => Promise<T>
  ): Promise<T | undefined> {
    const { transfers } = this.#parts
    let using: Promise<T> | undefined
    const take = async ({ status, length, body }: BlobAnswer) => {
      if (status !== STATUS.OK) return
      if (length !== bytes) throw new Unneeded('it has another size')
      const coming = transfers.counted({ hash, peerId, bytesDone: 0, bytes }, body)
      using = use(verified(coming, hash, bytes))
      await using
    }
    const item = { hash, offset: 0 }
    await this.#blaming(peerId, hash, () =>
      bytes > SMALL_BLOB_BYTES_MAX
        ? this.#lines.askAlone(peerId, bytes, { isLast: true, asked: () => item }, take)
        : this.#lines.askShared(peerId, { ...item, bytes }, take)
    )
    return outcomeOf(using)
  }

  /** Once more from the start after bytes that were not right. */
  async #large(hash: ContentHash, bytes: number): Promise<string | undefined> {
    const tried = new Set<string>()
    for (let wrong = 0; wrong < WRONG_MAX; wrong++) {
      const blob = this.#parts.growing.enter(hash, bytes)
      try {
        const peerId = await this.#grow(blob, tried)
        if (peerId !== undefined) return peerId
        if (!isWrong(blob.failure)) return undefined
      } finally {
        blob.leave()
      }
    }
    return undefined
  }

  /** Until it is whole and kept, or has failed; `tried` grows by the peers that were asked. */
  async #grow(blob: GrowingBlob, tried: Set<string>): Promise<string | undefined> {
    const holders = this.#holders(blob.hash, tried)
    try {
      await blob.ready
      for (;;) {
        if (await blob.idle()) return blob.from // replication was at it
        if (blob.isOver) return undefined
        const holder = holders.next().value
        if (holder === undefined) break
        tried.add(holder.peerId)
        if (await this.#growFrom(holder.peerId, blob, holder.isLast, tried)) return holder.peerId
      }
    } catch (error) {
      blob.fail(error)
      throw error
    }
    const sentence = 'No server that is connected could send this image.'
    blob.fail(new NodeError('NOT_AVAILABLE', sentence, { hash: blob.hash }))
    return undefined
  }

  async #growFrom(
    peerId: string,
    blob: GrowingBlob,
    isLast: boolean,
    tried: Set<string>
  ): Promise<boolean> {
    const { flows, transfers } = this.#parts
    const { hash, bytes } = blob
    let offset = 0
    let filling: Promise<NamelessBlob> | undefined
    const take = async ({ status, length, body }: BlobAnswer) => {
      if (status !== STATUS.OK) return
      if (length !== bytes - offset) throw new Unneeded('it has another size')
      if (!blob.isResting) throw new Unneeded('replication was faster')
      flows.room.take(length)
      const coming = transfers.counted({ hash, peerId, bytesDone: offset, bytes }, body)
      filling = blob.fill(peerId, coming)
      await filling
    }
    const asked = () => {
      offset = blob.bytesDone
      return blob.isResting ? { hash, offset } : undefined
    }
    await this.#blaming(peerId, hash, () =>
      this.#lines.askAlone(peerId, bytes, { isLast, asked }, take)
    )
    const whole = await outcomeOf(filling)
    if (whole === undefined) {
      // the wrong bytes may be those of an earlier peer: this one gets a chance to send them all
      if (isWrong(blob.failure) && offset > 0) tried.delete(peerId)
      return false
    }
    let kept = false
    try {
      kept = await this.#keep(peerId, whole)
    } finally {
      blob.kept(kept)
    }
    return kept
  }

  async #keep(peerId: string, blob: NamelessBlob): Promise<boolean> {
    const { peers, keeper, transfers } = this.#parts
    transfers.arrived()
    peers.received(peerId, blob.bytes)
    return keeper.keepNow(blob)
  }

  /** Peers to ask, as they are when the next one is needed. */
  *#holders(
    hash: ContentHash,
    tried: ReadonlySet<string>
  ): Generator<{ peerId: string; isLast: boolean }, undefined> {
    const { network, peers, believes, flows } = this.#parts
    const asked = new Set<string>(tried)
    for (;;) {
      const candidates = network
        .peers()
        .filter(({ id }) => !asked.has(id))
        .map(({ id }) => ({ peerId: id, ...peers.state(id), believed: believes(id, hash) }))
      const [peerId] = planReadOrder(candidates, flows.clock.monotonicMs())
      if (peerId === undefined) return undefined
      asked.add(peerId)
      yield { peerId, isLast: candidates.length === 1 }
    }
  }

  /** Whatever goes wrong is the peer's fault, but this node's own, which is thrown. */
  async #blaming(peerId: string, hash: ContentHash, ask: () => Promise<void>): Promise<void> {
    const { flows, peers } = this.#parts
    try {
      await ask()
    } catch (error) {
      this.#stop.signal.throwIfAborted()
      if (isOwnFault(error)) throw error
      flows.log.debug({ peer: peerId, hash, err: error }, 'a reader gets this elsewhere')
      if (!(error instanceof Unneeded)) peers.failed(peerId)
    }
  }
}

function isWrong(failure: unknown): boolean {
  return failure instanceof WireError && failure.fault === 'BAD_HASH'
}

/** What it was rejected with has been thrown to who asked the peer. */
function outcomeOf<T>(work: Promise<T> | undefined): Promise<T | undefined> {
  return work === undefined ? Promise.resolve(undefined) : work.catch(() => undefined)
}
