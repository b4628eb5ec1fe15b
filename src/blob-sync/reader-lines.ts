// How readers ask peers for blobs: small ones share a stream, large ones have one each, and there
// are not too many at a time.

import type { BlobItem } from '../../protocols/blobs/parse-request.ts'
import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import type { Clock } from '../base/clock.ts'
import { Turns } from '../base/turns.ts'
import { askAlone } from './ask-alone.ts'
import type { BlobPeers } from './blob-peers.ts'
import { Charge } from './charge.ts'
import { paced } from './paced.ts'
import type { Traffic } from './traffic.ts'

export interface ReaderLinesParts {
  readonly peers: BlobPeers
  readonly clock: Clock
  readonly traffic: Traffic
  /** Ends all of it. */
  readonly signal: AbortSignal
}

export interface ReaderLinesOptions {
  /** A peer from which nothing comes for so long has failed. */
  readonly stallMs: number
}

/** A blob whose bytes from an offset on are asked for. */
export interface Asked extends BlobItem {
  /** Of the whole blob. */
  readonly bytes: number
}

type Take = (answer: BlobAnswer) => Promise<void>

/** A holder that is silent for so long is left for another, while there is one. */
const PATIENCE_MS = 5000
/** Streams of readers to one peer, of the 16 that it allows. */
const LARGE_MAX = 8
/** Requests for small blobs on their way to one peer, of the 256 that may wait there. */
const SMALL_MAX = 128
/** Who waits for a turn, for each peer. */
const WAITING_MAX = 10_000

export class ReaderLines {
  readonly #parts: ReaderLinesParts
  readonly #options: ReaderLinesOptions
  readonly #small = new Map<string, Turns>()
  readonly #large = new Map<string, Turns>()

  constructor(parts: ReaderLinesParts, options: ReaderLinesOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Throws as BlobsClient.fetch, and what `take` throws; BUSY if too many wait. */
  askShared(peerId: string, { bytes, ...item }: Asked, take: Take): Promise<void> {
    const { peers, signal } = this.#parts
    const stallMs = Math.min(this.#options.stallMs, PATIENCE_MS)
    return this.#inTurn(this.#small, peerId, bytes, (charge) => {
      const counted: Take = (answer) => take(charge.counted(answer))
      return peers.fetch(peerId, [item], counted, { line: 'reads', signal, stallMs })
    })
  }

  /**
   * The same over a stream of its own: it waits neither behind bulk nor behind other readers.
   * `asked` is called when it is its turn; undefined if nothing is to be asked then.
   */
  askAlone(
    peerId: string,
    bytes: number,
    { isLast, asked }: { readonly isLast: boolean; readonly asked: () => BlobItem | undefined },
    take: Take
  ): Promise<void> {
    const { traffic } = this.#parts
    const { stallMs } = this.#options
    const firstMs = isLast ? stallMs : Math.min(stallMs, PATIENCE_MS)
    return this.#inTurn(this.#large, peerId, bytes, async (charge) => {
      const item = asked()
      if (item === undefined) return
      const perSecond = () => traffic.perSecond('reads', peerId)
      const counted: Take = (answer) => {
        const coming = charge.counted(answer)
        return take({ ...coming, body: paced(coming, perSecond, this.#parts) })
      }
      await askAlone(this.#parts, peerId, item, counted, { stallMs, firstMs })
    })
  }

  async #inTurn(
    ofPeers: Map<string, Turns>,
    peerId: string,
    bytes: number,
    ask: (charge: Charge) => Promise<void>
  ): Promise<void> {
    const { peers, traffic, signal } = this.#parts
    const runningMax = ofPeers === this.#small ? SMALL_MAX : LARGE_MAX
    const turns = ofPeers.get(peerId) ?? new Turns({ runningMax, waitingMax: WAITING_MAX })
    ofPeers.set(peerId, turns)
    peers.owes(peerId, bytes)
    try {
      await turns.run(async () => {
        await traffic.readersTurn(signal)
        traffic.asked('reads', peerId, bytes)
        const charge = new Charge(traffic, { purpose: 'reads', peerId, bytes })
        await ask(charge).finally(() => charge.end())
      }, signal)
    } finally {
      peers.owes(peerId, -bytes)
    }
  }
}
