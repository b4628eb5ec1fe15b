// How readers ask peers for blobs: small ones share a stream, large ones have one each, and there
// are not too many at a time.

import type { BlobItem } from '../../protocols/blobs/parse-request.ts'
import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import type { Clock } from '../base/clock.ts'
import { busy, Turns } from '../base/turns.ts'
import { askAlone, askTogether, Slow } from './ask-alone.ts'
import type { BlobPeers } from './blob-peers.ts'
import { Charge } from './charge.ts'
import type { Progress } from './first-of.ts'
import { paced } from './paced.ts'
import { Patience } from './patience.ts'
import { TooSlow } from './stall-watch.ts'
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

/**
 * How long a holder is waited for to begin: a small multiple of its usual time, or as long as for
 * any other bytes, which are waited for less long in the first case, too.
 */
export type Wait = 'usual' | 'full'

export interface AloneAbout {
  readonly wait: Wait
  /** Called when it is its turn; undefined if nothing is to be asked then. */
  readonly asked: () => BlobItem | undefined
  /**
   * It goes at the pace of one who may read nothing, as do others that have their turns before it:
   * it waits for its own no longer than TURN_MS.
   */
  readonly isHeldUp?: boolean
}

type Take = (answer: BlobAnswer) => Promise<void>

/** A holder that is silent for so long has failed where small blobs are asked for. */
const SILENT_MS = 5000
/** The same for large ones, where another holder can go on with what has come. */
const SILENT_LARGE_MS = 10_000
/** Streams of readers to one peer, of the 16 that it allows. */
const LARGE_MAX = 8
/** Those of them that may be held up: all others go on. */
const HELD_UP_MAX = 6
/** Requests for small blobs on their way to one peer: each waits for those before it. */
const SMALL_MAX = 128
/** Less than what lets a holder rest that does not begin: it was not even asked. */
const TURN_MS = 4000
/** Who waits for a turn, for each peer. */
const WAITING_MAX = 10_000

export class ReaderLines {
  readonly #parts: ReaderLinesParts
  readonly #options: ReaderLinesOptions
  readonly #small = new Map<string, Turns>()
  readonly #large = new Map<string, Turns>()
  readonly #heldUp = new Map<string, Turns>()
  readonly #patience: Patience

  constructor(parts: ReaderLinesParts, options: ReaderLinesOptions) {
    this.#parts = parts
    this.#options = options
    this.#patience = new Patience(parts.clock)
  }

  /** How long a reader waits for this holder to begin before another one is asked. */
  patienceMs(peerId: string): number {
    return this.#patience.ms(peerId)
  }

  /** Throws as BlobsClient.fetch, and what `take` throws; BUSY if too many wait; TooSlow. */
  askShared(
    peerId: string,
    { bytes, ...item }: Asked,
    take: Take,
    progress?: Progress
  ): Promise<void> {
    const { signal } = this.#parts
    const stallMs = Math.min(this.#options.stallMs, SILENT_MS)
    const isElsewhere = () => progress?.isLast === false
    return this.#inTurn(this.#small, peerId, bytes, async (charge) => {
      if (progress?.asked() === false) return
      const told = this.#patience.asked(peerId)
      const counted: Take = (answer) => {
        told(true)
        progress?.begun()
        return take(charge.counted(answer))
      }
      const options = { line: 'reads', signal, stallMs, isElsewhere } as const
      try {
        await askTogether(this.#parts, peerId, [item], counted, options)
      } catch (error) {
        if (error instanceof TooSlow) progress?.tooSlow()
        throw error
      } finally {
        told(false)
      }
    })
  }

  /**
   * The same over a stream of its own: it waits neither behind bulk nor behind other readers.
   * Throws Slow where `wait` is over before anything has begun to come, and TooSlow where that is
   * not 'full'. Where its turn may be held up and does not come: BUSY for 'full', else Slow.
   */
  askAlone(
    peerId: string,
    bytes: number,
    { wait, asked, isHeldUp = false }: AloneAbout,
    take: Take
  ): Promise<void> {
    const { traffic } = this.#parts
    const isElsewhere = wait !== 'full'
    const longestMs = isElsewhere ? SILENT_LARGE_MS : Number.POSITIVE_INFINITY
    const stallMs = Math.min(this.#options.stallMs, longestMs)
    const firstMs = isElsewhere ? Math.min(stallMs, this.#patience.ms(peerId)) : stallMs
    const turn = isHeldUp ? this.#soon(wait === 'full' ? busy() : new Slow(TURN_MS)) : undefined
    const inTurn = async (charge: Charge) => {
      const item = asked()
      if (item === undefined) return
      const told = this.#patience.asked(peerId)
      const perSecond = () => traffic.perSecond('reads', peerId)
      const counted: Take = (answer) => {
        told(true)
        const coming = charge.counted(answer)
        return take({ ...coming, body: paced(coming, perSecond, this.#parts) })
      }
      const options = { stallMs, firstMs, isElsewhere: () => isElsewhere }
      const asking = askAlone(this.#parts, peerId, item, counted, options)
      await asking.finally(() => told(false))
    }
    const ask = () => this.#inTurn(this.#large, peerId, bytes, inTurn, turn)
    if (turn === undefined) return ask()
    const turns = turnsOf(this.#heldUp, peerId, HELD_UP_MAX)
    return turns.run(ask, turn.signal).finally(() => turn.cancel())
  }

  /** The end of the wait for a turn. */
  #soon(reason: Error): { readonly signal: AbortSignal; cancel(): void } {
    const late = new AbortController()
    const cancel = this.#parts.clock.after(TURN_MS, () => late.abort(reason))
    return { signal: AbortSignal.any([late.signal, this.#parts.signal]), cancel }
  }

  async #inTurn(
    ofPeers: Map<string, Turns>,
    peerId: string,
    bytes: number,
    ask: (charge: Charge) => Promise<void>,
    turn?: { readonly signal: AbortSignal; cancel(): void }
  ): Promise<void> {
    const { peers, traffic, signal } = this.#parts
    const runningMax = ofPeers === this.#small ? SMALL_MAX : LARGE_MAX
    const turns = turnsOf(ofPeers, peerId, runningMax)
    peers.owes(peerId, bytes)
    try {
      const inTurn = async () => {
        turn?.cancel()
        await traffic.readersTurn(signal)
        traffic.asked('reads', peerId, bytes)
        const charge = new Charge(traffic, { purpose: 'reads', peerId, bytes })
        await ask(charge).finally(() => charge.end())
      }
      await turns.run(inTurn, turn?.signal ?? signal)
    } finally {
      peers.owes(peerId, -bytes)
    }
  }
}

function turnsOf(ofPeers: Map<string, Turns>, peerId: string, runningMax: number): Turns {
  const turns = ofPeers.get(peerId) ?? new Turns({ runningMax, waitingMax: WAITING_MAX })
  ofPeers.set(peerId, turns)
  return turns
}
