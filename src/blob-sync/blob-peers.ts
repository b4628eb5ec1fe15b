// Streams for blobs to each peer, what it owes, and how it has behaved. A stream of libp2p is there
// at once; a lane takes its place as soon as it is open.

import type { BlobItem } from '../../protocols/blobs/parse-request.ts'
import { type BlobAnswer, BlobsClient } from '../../protocols/blobs/request.ts'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import { BLOBS_ID } from '../../protocols/ids.ts'
import type { Clock, Random } from '../base/clock.ts'
import type { Network } from '../network/network.ts'
import { DirectLines, type DirectOpener } from './direct-lines.ts'
import type { Packing } from './packing.ts'
import { PeerGone } from './peer-gone.ts'
import {
  KINDS,
  type Line,
  type LineKind,
  newPeerState,
  type PeerConduct,
  type PeerState
} from './peer-state.ts'
import { NO_LANE, planBackOffMs } from './plan-back-off.ts'
import { planRestMs, type RetryPolicy } from './plan-wants.ts'
import { SharedAnswers } from './shared-answers.ts'
import { PACE_MIN, StallWatch, TooSlow } from './stall-watch.ts'

/** A key of a lane is good for 380 GB; and what goes wrong unseen must not go wrong for ever. */
const LANE_BYTES_MAX = 64 * 2 ** 30
const LANE_MS_MAX = 60 * 60_000

/** Connections on which bulk bytes cost less. */
export interface LaneOpener extends DirectOpener {
  open(peerId: string, onClose: () => void, signal: AbortSignal): Promise<ByteStream>
}

export interface BlobPeersParts {
  readonly network: Pick<Network, 'open' | 'peers' | 'ways'>
  readonly clock: Clock
  readonly random: Pick<Random, 'fraction'>
  readonly lanes?: LaneOpener | undefined
  /** Whether what is asked for may come packed; without it nothing does. */
  readonly packing?: Pick<Packing, 'unpacking'> | undefined
}

export interface FetchOptions {
  readonly line: LineKind
  readonly signal: AbortSignal
  /** A peer from which nothing comes for so long has failed. */
  readonly stallMs: number
  /** Whether others can be asked for it: then a peer that sends far too little has failed, too. */
  readonly isElsewhere?: (() => boolean) | undefined
}

export class BlobPeers {
  readonly #parts: BlobPeersParts
  readonly #policy: Pick<RetryPolicy, 'retryDelayMs'>
  readonly #peers = new Map<string, PeerState>()
  readonly #stopped = new AbortController()
  /** Lines for much at a time. */
  readonly direct: DirectLines

  /** `policy`: how long a peer rests that has failed. */
  constructor(parts: BlobPeersParts, policy: Pick<RetryPolicy, 'retryDelayMs'>) {
    this.#parts = parts
    this.#policy = policy
    this.direct = new DirectLines(parts)
  }

  state(peerId: string): PeerConduct {
    const state = this.#of(peerId)
    const { owedBytes, restsUntilMs, receivedBytes, receivedBlobs, pace, isSlow } = state
    return { owedBytes, restsUntilMs, receivedBytes, receivedBlobs, rate: pace.perSecond, isSlow }
  }

  /** Connections with a peer: see askAllWays. */
  ways(peerId: string): number {
    return this.#parts.network.ways?.(peerId) ?? 1
  }

  /**
   * Asks for blobs over a long-lived stream, as BlobsClient does; `onBlob` may take its own time.
   * What is thrown, also because nothing came any more, has broken the stream for all who use it;
   * but what `onBlob` throws where readers share one leaves it to them, as SharedAnswers says.
   */
  async fetch(
    peerId: string,
    items: readonly BlobItem[],
    onBlob: (answer: BlobAnswer) => Promise<void>,
    options: FetchOptions
  ): Promise<void> {
    const line = this.#lineTo(peerId, options)
    const { watch } = line
    const isAsked = () => options.isElsewhere?.() === true // of its own, so that each call counts
    if (line.asked.size === 0) watch.wait()
    line.asked.add(isAsked)
    const answers = options.line === 'reads' ? new SharedAnswers(onBlob) : undefined
    try {
      const client = await line.client
      const take = async (answer: BlobAnswer) => {
        watch.rest()
        this.#answered(peerId, line)
        await (answers?.take ?? onBlob)(watch.watchedAnswer(answer))
        watch.wait()
      }
      await client.fetch(items, take, options.signal)
    } catch (error) {
      this.#close(this.#of(peerId), line, error as Error)
      throw error
    } finally {
      line.asked.delete(isAsked)
      if (line.asked.size === 0) {
        watch.stop()
        if (line.isRetired) this.#end(line)
      }
    }
    answers?.check()
  }

  /**
   * For one large blob, on a stream of its own: a lane where there are lanes to this peer. `way`:
   * over that one of its connections, and no lane.
   */
  async openOwn(peerId: string, signal: AbortSignal, way?: number): Promise<BlobsClient> {
    const { lanes } = this.#parts
    if (way !== undefined) return this.#clientOn(await this.#openStream(peerId, signal, way))
    const isReached = [...this.#of(peerId).lines.values()].some(({ lane }) => lane !== undefined)
    const own = isReached ? await lanes?.open(peerId, () => {}, signal).catch(() => {}) : undefined
    signal.throwIfAborted()
    return this.#clientOn(own ?? (await this.#openStream(peerId, signal)))
  }

  /** The peer has come: what it is asked for soon finds a lane. */
  greet(peerId: string, stallMs: number): void {
    // what broke with its last connection may have been told only after that
    this.#forgive(this.#of(peerId))
    for (const kind of KINDS) this.#seekLane(peerId, kind, stallMs)
  }

  owes(peerId: string, bytes: number): void {
    const state = this.#of(peerId)
    if (state.owedBytes === 0) this.#beginOwing(state)
    state.owedBytes += bytes
  }

  received(peerId: string, bytes: number): void {
    const state = this.#of(peerId)
    state.receivedBytes += bytes
    state.pace.add(bytes)
    state.receivedBlobs += 1
    state.owing.receivedBytes += bytes
    if (state.isSlow && this.#isTooSlow(state)) return
    state.isSlow = false
    state.faults = 0
  }

  /**
   * A stream broke, or what came was not right: the peer rests for a while. Several requests that
   * end with one stream are one fault; that it is gone is none.
   */
  failed(peerId: string, error: unknown): void {
    if (error instanceof PeerGone) return
    const state = this.#of(peerId)
    if (error instanceof TooSlow) {
      state.isSlow = true
      this.#beginOwing(state)
    }
    const { clock, random } = this.#parts
    const nowMs = clock.monotonicMs()
    if (state.restsUntilMs > nowMs) return
    state.faults += 1
    state.restsUntilMs = nowMs + planRestMs(state.faults, this.#policy, random.fraction())
  }

  /** The peer is gone. */
  drop(peerId: string): void {
    this.direct.drop(peerId)
    const state = this.#peers.get(peerId)
    if (state === undefined) return
    for (const line of state.lines.values()) this.#close(state, line, new PeerGone())
    this.#forgive(state)
    state.isSlow = false
    // what is being opened to it now says nothing of when it is back
    state.seeking = new Set()
    state.noLaneUntilMs = 0
    state.noLanes = 0
  }

  stop(): void {
    this.#stopped.abort(new Error('the node is stopping'))
    this.direct.stop()
    for (const id of this.#peers.keys()) this.drop(id)
  }

  #forgive(state: PeerState): void {
    state.restsUntilMs = 0
    state.faults = 0
  }

  #beginOwing(state: PeerState): void {
    state.owing = { sinceMs: this.#parts.clock.monotonicMs(), receivedBytes: 0 }
  }

  #isTooSlow({ owing }: PeerState): boolean {
    const owedMs = this.#parts.clock.monotonicMs() - owing.sinceMs
    return owing.receivedBytes * 1000 < PACE_MIN * owedMs
  }

  #lineTo(peerId: string, { line: kind, signal, stallMs }: FetchOptions): Line {
    const state = this.#of(peerId)
    const known = state.lines.get(kind)
    if (known === undefined || this.#isSpent(state, known)) this.#seekLane(peerId, kind, stallMs)
    if (known !== undefined) return known
    return this.#addLine(state, kind, this.#openStream(peerId, signal), stallMs)
  }

  /** Why it can't be opened is a matter of this one peer, also where this side has too many. */
  async #openStream(peerId: string, signal: AbortSignal, way?: number): Promise<ByteStream> {
    try {
      return await this.#parts.network.open(peerId, BLOBS_ID, signal, way)
    } catch (cause) {
      throw new Error((cause as Error).message, { cause })
    }
  }

  #addLine(
    state: PeerState,
    kind: LineKind,
    opening: Promise<ByteStream>,
    stallMs: number,
    lane?: Line['lane']
  ): Line {
    const { clock } = this.#parts
    const onStall = (why: Error) => this.#close(state, line, why)
    const isElsewhere = () => [...line.asked].some((is) => is())
    const line: Line = {
      client: opening.then((stream) => this.#clientOn(stream)),
      watch: new StallWatch({ clock, stallMs, onStall, isElsewhere }),
      lane,
      asked: new Set(),
      hasAnswered: false,
      isRetired: false
    }
    const before = state.lines.get(kind)
    state.lines.set(kind, line)
    if (before !== undefined) {
      before.isRetired = true
      if (before.asked.size === 0) this.#end(before)
    }
    return line
  }

  #clientOn(stream: ByteStream): BlobsClient {
    return new BlobsClient(stream, this.#parts.packing?.unpacking)
  }

  #isSpent({ receivedBytes }: PeerState, { lane }: Line): boolean {
    if (lane === undefined) return true
    const ageMs = this.#parts.clock.monotonicMs() - lane.openedMs
    return ageMs > LANE_MS_MAX || receivedBytes - lane.receivedBytes > LANE_BYTES_MAX
  }

  /** Opens a lane in the background, unless that was in vain a short while ago. */
  #seekLane(peerId: string, kind: LineKind, stallMs: number): void {
    const { lanes, clock } = this.#parts
    const state = this.#of(peerId)
    const isIdle = lanes !== undefined && !state.seeking.has(kind)
    if (!isIdle || state.noLaneUntilMs > clock.monotonicMs()) return
    const { seeking } = state
    seeking.add(kind)
    void this.#openLane(lanes, peerId, kind, stallMs).finally(() => seeking.delete(kind))
  }

  /** Never rejects. */
  async #openLane(
    lanes: LaneOpener,
    peerId: string,
    kind: LineKind,
    stallMs: number
  ): Promise<void> {
    const { clock } = this.#parts
    const state = this.#of(peerId)
    const { seeking } = state
    let line: Line | undefined
    let isClosed = false
    const onClose = () => {
      isClosed = true
      // one that breaks while it is used is told by what its users get
      if (line?.asked.size === 0) this.#close(state, line, new Error('the lane was closed'))
    }
    try {
      const stream = await lanes.open(peerId, onClose, this.#stopped.signal)
      if (isClosed) throw new Error('the lane was closed at once')
      const lane = { receivedBytes: state.receivedBytes, openedMs: clock.monotonicMs() }
      line = this.#addLine(state, kind, Promise.resolve(stream), stallMs, lane)
    } catch {
      if (state.seeking !== seeking) return // the peer was gone
      this.#doWithoutLanes(state)
    }
  }

  /** For a while. */
  #doWithoutLanes(state: PeerState): void {
    const { clock, random } = this.#parts
    const waitMs = planBackOffMs(++state.noLanes, NO_LANE, random.fraction())
    state.noLaneUntilMs = clock.monotonicMs() + waitMs
  }

  #answered(peerId: string, line: Line): void {
    if (line.hasAnswered) return
    line.hasAnswered = true
    if (line.lane !== undefined) this.#of(peerId).noLanes = 0
  }

  /** Ends a line in good order, as far as the other side goes along. */
  #end(line: Line): void {
    line.watch.stop()
    const { signal } = this.#stopped
    line.client.then((client) => client.end(signal)).catch(() => {})
  }

  #close(state: PeerState, line: Line, error: Error): void {
    for (const [kind, one] of state.lines) {
      if (one !== line) continue
      state.lines.delete(kind)
      // something between the two may let it be opened, and nothing through
      const isInVain = line.asked.size > 0 && !line.hasAnswered
      if (line.lane !== undefined && isInVain) this.#doWithoutLanes(state)
    }
    line.watch.stop()
    line.client.then(
      (client) => client.abort(error),
      () => {}
    )
  }

  #of(peerId: string): PeerState {
    let state = this.#peers.get(peerId)
    if (state === undefined) {
      state = newPeerState(this.#parts.clock)
      this.#peers.set(peerId, state)
    }
    return state
  }
}
