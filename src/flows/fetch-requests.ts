// One request for blobs to one peer, from the question until each of them is being kept, or it is
// known why not.

import { UNNEEDED_BYTES_MAX } from '../../protocols/blobs/limits.ts'
import type { BlobItem } from '../../protocols/blobs/parse-request.ts'
import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { askAlone, askTogether } from '../blob-sync/ask-alone.ts'
import type { FetchOptions } from '../blob-sync/blob-peers.ts'
import type { ComingBlobs } from '../blob-sync/coming-blobs.ts'
import { paced } from '../blob-sync/paced.ts'
import { isMuch, owedFor, type WantedBlob } from '../blob-sync/plan-wants.ts'
import type { WantBook } from '../blob-sync/want-book.ts'
import type { Network } from '../network/network.ts'
import { SMALL_BLOB_BYTES_MAX } from '../store/blob-store.ts'
import { purposeNow, unlessSlow } from './break-if-slow.ts'
import { isOwnFault } from './keep-replica.ts'
import { OpenRequest } from './open-request.ts'
import { type DirectResults, TakeDirect } from './take-direct.ts'
import { type TakeIn, type TakeInParts, Unneeded } from './take-in.ts'

export interface FetchRequestsParts extends TakeInParts {
  readonly network: Pick<Network, 'peers'>
  readonly book: WantBook
  readonly takeIn: TakeIn
  /** Whether a peer is believed to hold the blob, by what it said of itself. */
  readonly believes: (peerId: string, hash: ContentHash) => boolean
  /** Blobs that are asked for or being kept: each goes when that is over. */
  readonly inFlight: Map<ContentHash, number>
  /** Those of them that come at once: readers may wait for them. */
  readonly coming: ComingBlobs
  /** A blob could not be kept after its fetch had ended: it is to be tried again in its time. */
  readonly failedLate: () => void
  /** This node can't take blobs for a while. */
  readonly pause: () => void
  /** Ends all of it. */
  readonly signal: AbortSignal
}

export interface FetchAbout {
  /** Nothing is kept before it has resolved. */
  readonly written?: Promise<unknown> | undefined
  /** They have just come to be. */
  readonly isNew?: boolean
}

export interface FetchRequestsOptions {
  /** A peer from which nothing comes for so long has failed. */
  readonly stallMs: number
}

const PASSING_MAX = 16
/** What a new image waits for without another stream. */
const BEHIND_BYTES = 256 * 1024

export class FetchRequests {
  readonly #parts: FetchRequestsParts
  readonly #options: FetchRequestsOptions
  readonly #takeDirect: TakeDirect
  /** New images that are on their way beside bulk. */
  #passing = 0

  constructor(parts: FetchRequestsParts, options: FetchRequestsOptions) {
    this.#parts = parts
    this.#options = options
    this.#takeDirect = new TakeDirect(parts, parts.takeIn)
  }

  /** Never rejects. */
  async fetch(
    peerId: string,
    request: readonly WantedBlob[],
    { written, isNew = false }: FetchAbout = {}
  ): Promise<void> {
    const { flows, peers, book, inFlight, coming, signal } = this.#parts
    const open = new OpenRequest({ peers, traffic: flows.traffic }, peerId, request)
    let isOver = false
    const results: DirectResults = {
      close: (blob) => open.close(blob),
      lacking: ({ hash }) => book.lacks(hash, peerId, this.#peerIds()),
      passed: (hash, bytes) => open.passed(hash, bytes),
      isElsewhere: () => open.blobs.some(({ hash }) => this.#isElsewhere(hash, peerId)),
      end: (hash, kept) => {
        inFlight.delete(hash)
        coming.end(hash, kept)
        if (isOver && book.note(hash) !== undefined) this.#parts.failedLate()
      }
    }
    const isSlow = request.some((blob) => blob.isSlow)
    const isBehind = this.#isBehind(peerId, request)
    const passes = isNew && !isSlow && isBehind && this.#passBy(request)
    if (isNew && !isSlow && (passes || !isBehind)) this.#beginAtOnce(peerId, request)
    try {
      const isBulk = !passes && !isSlow
      if (isBulk && this.#isMuch(request)) await peers.direct.seek(peerId, this.#options.stallMs)
      if (isBulk && peers.direct.has(peerId)) {
        if (await isWritten(written)) await this.#askDirect(peerId, request, results)
      } else {
        const take = this.#taking(peerId, open, results, written)
        const { isElsewhere } = results
        await this.#ask(peerId, request, take, { line: passes ? 'reads' : 'bulk', isElsewhere })
      }
    } catch (error) {
      const left = open.blobs.map(({ hash }) => hash)
      if (!signal.aborted) this.#brokeOff(peerId, error as Error, left)
    } finally {
      isOver = true
      if (passes) this.#passing -= request.length
      for (const blob of open.blobs) {
        inFlight.delete(blob.hash)
        coming.end(blob.hash, false)
        open.close(blob)
      }
    }
  }

  /** What is missing there is asked for once more where it may be another node that lacks it. */
  async #askDirect(
    peerId: string,
    request: readonly WantedBlob[],
    results: DirectResults
  ): Promise<void> {
    const { peers, inFlight } = this.#parts
    if (peers.ways(peerId) < 2) return this.#takeDirect.fetch(peerId, request, results)
    const missing: WantedBlob[] = []
    const lacking = (blob: WantedBlob) => {
      missing.push(blob)
      inFlight.set(blob.hash, blob.bytes) // still: nobody else is asked meanwhile
    }
    try {
      await this.#takeDirect.fetch(peerId, request, { ...results, lacking })
    } catch (error) {
      for (const { hash } of missing) results.end(hash, false)
      throw error
    }
    if (missing.length > 0) await this.#askAgain(peerId, missing, results)
  }

  async #askAgain(
    peerId: string,
    blobs: readonly WantedBlob[],
    results: DirectResults
  ): Promise<void> {
    const { flows, peers } = this.#parts
    const { traffic } = flows
    for (const { bytes, purpose } of blobs) {
      peers.owes(peerId, owedFor(bytes))
      if (purpose !== undefined) traffic.asked(purpose, peerId, bytes)
    }
    const open = new OpenRequest({ peers, traffic }, peerId, blobs)
    try {
      const take = this.#taking(peerId, open, results, undefined)
      const { isElsewhere } = results
      await this.#ask(peerId, blobs, take, { line: 'bulk', isElsewhere })
    } finally {
      for (const blob of open.blobs) {
        results.end(blob.hash, false)
        open.close(blob)
      }
    }
  }

  async #ask(
    peerId: string,
    request: readonly WantedBlob[],
    take: (answer: BlobAnswer) => Promise<void>,
    about: Pick<FetchOptions, 'line' | 'isElsewhere'>
  ): Promise<void> {
    const { flows, peers, takeIn, growing, signal } = this.#parts
    const { clock, traffic } = flows
    const pace = { traffic, growing }
    const { stallMs } = this.#options
    const items: BlobItem[] = []
    for (const blob of request) {
      items.push({ hash: blob.hash, offset: await takeIn.offsetOf(blob) })
    }
    const [blob, item] = [request[0], items[0]]
    if (!blob?.isSlow || item === undefined) {
      await askTogether({ peers, clock }, peerId, items, take, { ...about, signal, stallMs })
      return
    }
    const perSecond = () => traffic.perSecond(purposeNow(pace, blob), peerId)
    const slowly = (answer: BlobAnswer) =>
      take({ ...answer, body: paced(answer, perSecond, { clock, signal }) })
    const options = { ...about, stallMs }
    await askAlone({ peers, clock, signal }, peerId, item, slowly, options)
  }

  #taking(
    peerId: string,
    open: OpenRequest,
    { close, lacking, end }: DirectResults,
    written: Promise<unknown> | undefined
  ) {
    const { takeIn, flows, growing, coming } = this.#parts
    const pace = { traffic: flows.traffic, growing }
    return async (answer: BlobAnswer) => {
      const blob = open.get(answer.hash)
      if (blob === undefined) return
      const onEnd = (kept: boolean) => end(blob.hash, kept)
      const onWhole = (whole: Uint8Array) => coming.came(blob.hash, whole)
      const body = blob.isSlow ? answer.body : unlessSlow(pace, peerId, blob, answer)
      if (!(await isWritten(written))) {
        if (answer.length > UNNEEDED_BYTES_MAX) throw new Unneeded('the image did not come to be')
        onEnd(false)
      } else if (
        !(await takeIn.take(peerId, open.counted({ ...answer, body }), blob, { onEnd, onWhole }))
      ) {
        onEnd(false)
        lacking(blob)
      }
      close(blob)
      // what was asked for behind it would wait until all of that is passed over
      const { length, offset } = answer
      if (length > UNNEEDED_BYTES_MAX && length !== blob.bytes - offset) {
        throw new WireError('TOO_LARGE', `${length} bytes of a blob of another size`)
      }
    }
  }

  #beginAtOnce(peerId: string, request: readonly WantedBlob[]): void {
    for (const { hash, bytes } of request) {
      if (bytes <= SMALL_BLOB_BYTES_MAX) this.#parts.coming.begin(hash, peerId)
    }
  }

  /** Whether they would wait for bulk that is on its way. */
  #isBehind(peerId: string, request: readonly WantedBlob[]): boolean {
    const { peers } = this.#parts
    const own = request.reduce((sum, { bytes }) => sum + owedFor(bytes), 0)
    return peers.direct.has(peerId) || peers.state(peerId).owedBytes - own > BEHIND_BYTES
  }

  /**
   * New images pass by the bulk that is on its way, among what readers wait for, as long as they
   * are few and small.
   */
  #passBy(request: readonly WantedBlob[]): boolean {
    const isSmall = request.every(({ bytes }) => bytes <= SMALL_BLOB_BYTES_MAX)
    if (!isSmall || this.#passing + request.length > PASSING_MAX) return false
    this.#passing += request.length
    return true
  }

  /** Of what is asked for now, the index may not know yet. */
  #isMuch(request: readonly WantedBlob[]): boolean {
    const counts = this.#parts.flows.index.counts()
    const asked = { wants: request.length, wantBytes: 0 }
    for (const { bytes } of request) asked.wantBytes += bytes
    return isMuch(counts) || isMuch(asked)
  }

  #brokeOff(peerId: string, error: Error, open: readonly ContentHash[]): void {
    const { peers, book, flows, pause } = this.#parts
    if (error instanceof Unneeded) return
    if (isOwnFault(error)) {
      // it may be the one that is too large for the disk: others go before it
      const [first] = open
      const about = { peer: peerId, hash: first, reason: error.message }
      flows.log.warn({ ...about, err: error }, 'no images are fetched for a while')
      pause()
      if (first !== undefined) book.failed(first, error.message)
      return
    }
    flows.log.debug({ peer: peerId, err: error }, 'a fetch broke off')
    peers.failed(peerId, error)
    for (const hash of open) {
      // others are asked at once, where there are others
      if (this.#others(hash) === 0) book.failed(hash, error.message)
    }
  }

  /** Whether another one than this peer holds it, as far as is known, and works. */
  #isElsewhere(hash: ContentHash, peerId: string): boolean {
    const { network, peers, book, believes, flows } = this.#parts
    const nowMs = flows.clock.monotonicMs()
    return network.peers().some(({ id }) => {
      if (id === peerId || !believes(id, hash) || book.lacking(hash).has(id)) return false
      const { restsUntilMs, isSlow } = peers.state(id)
      return restsUntilMs <= nowMs && !isSlow
    })
  }

  #peerIds(): readonly string[] {
    return this.#parts.network.peers().map(({ id }) => id)
  }

  /** Peers that may have the blob and work. */
  #others(hash: ContentHash): number {
    const { network, peers, book, flows } = this.#parts
    const lacking = book.lacking(hash)
    const nowMs = flows.clock.monotonicMs()
    const isFit = (id: string) => !lacking.has(id) && peers.state(id).restsUntilMs <= nowMs
    return network.peers().filter(({ id }) => isFit(id)).length
  }
}

/** Whoever writes it hears of the error; and what is not wanted need not come. */
function isWritten(written: Promise<unknown> | undefined): Promise<boolean> {
  return (
    written?.then(
      () => true,
      () => false
    ) ?? Promise.resolve(true)
  )
}
