// A reader's miss: the blob is asked of one holder after the other, goes on where the last one
// broke off, and is read while it comes. One fetch serves all who wait.

import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import { verified } from '../../protocols/blobs/verified.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { STATUS } from '../../protocols/status.ts'
import { NodeError } from '../base/errors.ts'
import type { BlobPeers } from '../blob-sync/blob-peers.ts'
import type { ComingBlobs } from '../blob-sync/coming-blobs.ts'
import type { Progress } from '../blob-sync/first-of.ts'
import type { GrowingBlobs } from '../blob-sync/growing-blob.ts'
import { planReadOrder } from '../blob-sync/plan-wants.ts'
import { ReaderLines, type ReaderLinesOptions } from '../blob-sync/reader-lines.ts'
import type { Transfers } from '../blob-sync/transfers.ts'
import type { Network } from '../network/network.ts'
import { type NamelessBlob, SMALL_BLOB_BYTES_MAX, type StagedBlob } from '../store/blob-store.ts'
import { GrowFromHolders, outcomeOf } from './grow-from-holders.ts'
import { isOwnFault, type ReplicaKeeper } from './keep-replica.ts'
import { orPassedOn } from './or-passed-on.ts'
import type { FlowParts, ReadableBlob } from './parts.ts'
import { inMemory, type PassOnParts, passOn } from './pass-on.ts'
import { openTrusted } from './read.ts'
import { type Come, SmallFromHolders } from './small-from-holders.ts'
import { Unneeded } from './take-in.ts'

export interface ReadThroughParts {
  readonly flows: FlowParts
  readonly network: Pick<Network, 'peers' | 'open'>
  readonly peers: BlobPeers
  readonly keeper: ReplicaKeeper
  readonly growing: GrowingBlobs
  /** Small ones that replication has asked for already. */
  readonly coming: Pick<ComingBlobs, 'join'>
  readonly transfers: Transfers
  /** Whether a peer is believed to hold the blob, by what it said of itself. */
  readonly believes: (peerId: string, hash: ContentHash) => boolean
  /** Hears that the fetch of a blob has ended, however it did. */
  readonly onEnd: (hash: ContentHash) => void
}

export class ReadThrough {
  readonly #parts: ReadThroughParts
  readonly #lines: ReaderLines
  readonly #grow: GrowFromHolders
  readonly #small: SmallFromHolders
  readonly #passing: PassOnParts
  readonly #stop = new AbortController()
  readonly #runs = new Map<ContentHash, Promise<string | undefined>>()
  /** Small blobs of these, as soon as they are known to be right. */
  readonly #come = new Map<ContentHash, Promise<Come | undefined>>()

  constructor(parts: ReadThroughParts, options: ReaderLinesOptions) {
    this.#parts = parts
    const { clock, traffic } = parts.flows
    const { signal } = this.#stop
    this.#lines = new ReaderLines({ ...parts, clock, traffic, signal }, options)
    const holders = (hash: ContentHash, tried: ReadonlySet<string>) => this.#holders(hash, tried)
    const keep = (peerId: string, blob: NamelessBlob) => this.#keep(peerId, blob)
    const blaming = (peerId: string, hash: ContentHash, ask: () => Promise<void>) =>
      this.#blaming(peerId, hash, ask)
    const asking = { ...parts, lines: this.#lines, holders, keep }
    this.#grow = new GrowFromHolders({ ...asking, blaming })
    this.#small = new SmallFromHolders({
      ...asking,
      stageFrom: (peerId, { hash, bytes }, progress) =>
        this.#stageFrom(peerId, hash, bytes, progress)
    })
    this.#passing = {
      flows: parts.flows,
      lines: this.#lines,
      transfers: parts.transfers,
      holders: (hash) => this.#holders(hash, new Set()),
      blaming
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

  /** Whether a blob is being fetched, and kept then. */
  fetches(hash: ContentHash): boolean {
    return this.#runs.has(hash)
  }

  /** Whether there is any use in trying. */
  #canKeep(bytes: number): boolean {
    const { room, brakes, store } = this.#parts.flows
    try {
      brakes.requireDisk()
      room.demand(bytes)
      return store.fault === undefined && store.isPresent
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
      // the fetch that was joined may have been an earlier one, at its very end
      const isLeft = shared.from === undefined && !shared.isOver
      if (isLeft) await Promise.race([shared.begun(), this.#run(hash, bytes)])
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
    await Promise.allSettled([...this.#runs.values(), this.#small.idle()])
  }

  #run(hash: ContentHash, bytes: number): Promise<string | undefined> {
    let run = this.#runs.get(hash)
    if (run === undefined) {
      const fetching =
        bytes > SMALL_BLOB_BYTES_MAX ? this.#grow.whole(hash, bytes) : this.#getSmall(hash, bytes)
      run = fetching.finally(() => {
        this.#runs.delete(hash)
        this.#come.delete(hash)
        this.#parts.onEnd(hash)
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
    const run = this.#run(hash, bytes)
    const come = await this.#come.get(hash)
    const { scanner, blocks } = this.#parts.flows
    // right bytes need not be kept before they are read
    if (come !== undefined && !scanner?.seesArrived && !blocks.has(hash)) {
      return { peerId: come.peerId, blob: inMemory(come.whole) }
    }
    const peerId = await run
    const blob = peerId === undefined ? undefined : openTrusted(this.#parts.flows, hash)
    return peerId === undefined || blob === undefined ? undefined : { peerId, blob }
  }

  #getSmall(hash: ContentHash, bytes: number): Promise<string | undefined> {
    const { come, kept } = this.#small.get(hash, bytes)
    this.#come.set(hash, come)
    return kept
  }

  #stageFrom(
    peerId: string,
    hash: ContentHash,
    bytes: number,
    progress?: Progress
  ): Promise<StagedBlob | undefined> {
    const { room, store } = this.#parts.flows
    const stage = (body: AsyncIterable<Uint8Array>) => {
      room.take(bytes)
      return store.stage(body, { bytesMax: bytes })
    }
    return this.#bring(peerId, { hash, bytes }, stage, progress)
  }

  /** Small ones share a stream, for one of its own would cost more than the blob. */
  async #bring<T>(
    peerId: string,
    { hash, bytes }: { readonly hash: ContentHash; readonly bytes: number },
    use: (body: AsyncIterable<Uint8Array>) => Promise<T>,
    progress?: Progress
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
        ? this.#lines.askAlone(peerId, bytes, { wait: 'full', asked: () => item }, take)
        : this.#lines.askShared(peerId, { ...item, bytes }, take, progress)
    )
    return outcomeOf(using)
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
        .map(({ id, latencyMs }) => ({
          ...{ peerId: id, ...peers.state(id) },
          ...{ believed: believes(id, hash), latencyMs }
        }))
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
      if (!(error instanceof Unneeded)) peers.failed(peerId, error)
    }
  }
}
