// Direct lines to peers that are asked for much: opened when that begins, and closed when nothing
// was asked for a while, since each costs memory. Whoever asks does without one until it is open.

import type { Clock, Random } from '../base/clock.ts'
import type { DirectItem, DirectLine, DirectTake } from './direct-line.ts'
import { PeerGone } from './peer-gone.ts'
import { NO_LANE, planBackOffMs } from './plan-back-off.ts'
import { StallWatch } from './stall-watch.ts'

/** After so long without a request a line is closed. */
const IDLE_MS = 60_000
/** Who is about to ask waits so long for a line to be opened. */
const WAIT_MS = 1000
/** A key of a lane is good for 380 GB. */
const LINE_BYTES_MAX = 64 * 2 ** 30
const LINE_MS_MAX = 60 * 60_000

export interface DirectOpener {
  /** `onMoved` hears that so many bytes have come. */
  openDirect?(
    peerId: string,
    on: { readonly onClose: () => void; readonly onMoved: (bytes: number) => void },
    signal: AbortSignal
  ): Promise<DirectLine>
}

export interface DirectLinesParts {
  readonly clock: Clock
  readonly random: Pick<Random, 'fraction'>
  readonly lanes?: DirectOpener | undefined
}

interface Line {
  readonly line: DirectLine
  readonly watch: StallWatch
  readonly openedMs: number
  askedBytes: number
  /** Requests that are not answered yet, and of each whether others can be asked instead. */
  readonly asked: Set<() => boolean>
  /** Something has come. */
  hasMoved: boolean
  isClosed: boolean
  cancelIdle: () => void
}

interface PeerLines {
  open: Line | undefined
  seeking: Promise<void> | undefined
  noneUntilMs: number
  nones: number
}

export class DirectLines {
  readonly #parts: DirectLinesParts
  readonly #peers = new Map<string, PeerLines>()
  readonly #stopped = new AbortController()

  constructor(parts: DirectLinesParts) {
    this.#parts = parts
  }

  /** Whether a line to the peer is open. */
  has(peerId: string): boolean {
    return this.#peers.get(peerId)?.open !== undefined
  }

  /**
   * The peer is about to be asked for much: opens a line, if that can be. Resolves when it is open,
   * or need not be waited for.
   */
  async seek(peerId: string, stallMs: number): Promise<void> {
    const { lanes, clock } = this.#parts
    const peer = this.#of(peerId)
    const isWanted = peer.open === undefined || this.#isSpent(peer.open)
    if (lanes?.openDirect === undefined || !isWanted) return
    if (peer.noneUntilMs > clock.monotonicMs() || this.#stopped.signal.aborted) return
    peer.seeking ??= this.#open(peer, peerId, stallMs).finally(() => {
      peer.seeking = undefined
    })
    if (peer.open !== undefined) return
    const waited = Promise.withResolvers<void>()
    const cancel = clock.after(WAIT_MS, waited.resolve)
    await Promise.race([peer.seeking, waited.promise])
    cancel()
  }

  /**
   * For a peer that has a line. Throws as DirectLine.fetch; TooSlow where others can be asked for
   * one of these requests, and the peer sends far too little.
   */
  async fetch(
    peerId: string,
    items: readonly DirectItem[],
    take: DirectTake,
    isElsewhere: () => boolean
  ): Promise<void> {
    const open = this.#peers.get(peerId)?.open
    if (open === undefined) throw new Error('there is no line to this peer')
    open.cancelIdle()
    for (const { bytes, offset } of items) open.askedBytes += bytes - offset
    const isAsked = () => isElsewhere() // of its own, so that each request counts
    if (open.asked.size === 0) open.watch.wait()
    open.asked.add(isAsked)
    try {
      await open.line.fetch(items, counted(take, open.watch))
    } finally {
      open.asked.delete(isAsked)
      if (open.asked.size === 0) this.#rest(peerId, open)
    }
  }

  /** The peer is gone. */
  drop(peerId: string, error: Error = new PeerGone()): void {
    const peer = this.#peers.get(peerId)
    this.#peers.delete(peerId)
    if (peer?.open !== undefined) this.#close(peer.open, error)
  }

  stop(): void {
    const error = new Error('the node is stopping')
    this.#stopped.abort(error)
    for (const id of this.#peers.keys()) this.drop(id, error)
  }

  /** Never rejects. */
  async #open(peer: PeerLines, peerId: string, stallMs: number): Promise<void> {
    const { clock, lanes } = this.#parts
    let open: Line | undefined
    const onStall = (why: Error) => {
      // what waits for this node itself is nobody's fault
      if (open?.line.isFull) watch.wait()
      else open?.line.abort(why)
    }
    const isElsewhere = () => [...(open?.asked ?? [])].some((is) => is())
    const watch = new StallWatch({ clock, stallMs, onStall, isElsewhere })
    const on = {
      onMoved: (bytes: number) => {
        peer.nones = 0
        if (open !== undefined) open.hasMoved = true
        if (open === undefined || open.asked.size === 0) return
        watch.wait()
        watch.came(bytes)
      },
      onClose: () => {
        if (open !== undefined) this.#gone(peer, open)
      }
    }
    try {
      const line = await lanes?.openDirect?.(peerId, on, this.#stopped.signal)
      if (line === undefined) return
      const openedMs = clock.monotonicMs()
      const opened: Line = {
        ...{ line, watch, openedMs, askedBytes: 0, asked: new Set() },
        ...{ hasMoved: false, isClosed: false, cancelIdle: () => {} }
      }
      open = opened
      if (this.#peers.get(peerId) !== peer) return this.#close(opened, new Error('too late'))
      const before = peer.open
      peer.open = opened
      this.#rest(peerId, opened)
      if (before?.asked.size === 0) this.#end(before)
    } catch {
      this.#doWithout(peer)
    }
  }

  /** For a while. */
  #doWithout(peer: PeerLines): void {
    const { clock, random } = this.#parts
    const waitMs = planBackOffMs(++peer.nones, NO_LANE, random.fraction())
    peer.noneUntilMs = clock.monotonicMs() + waitMs
  }

  #isSpent({ openedMs, askedBytes }: Line): boolean {
    return this.#parts.clock.monotonicMs() - openedMs > LINE_MS_MAX || askedBytes > LINE_BYTES_MAX
  }

  /** Nothing is asked on it now. */
  #rest(peerId: string, open: Line): void {
    open.watch.stop()
    if (open.isClosed) return
    const peer = this.#peers.get(peerId)
    if (peer?.open !== open) {
      this.#end(open) // another one has taken its place
      return
    }
    open.cancelIdle = this.#parts.clock.after(IDLE_MS, () => {
      if (open.asked.size > 0) return
      peer.open = undefined
      this.#end(open)
    })
  }

  #end(open: Line): void {
    open.watch.stop()
    open.cancelIdle()
    open.line.end()
  }

  #close(open: Line, error: Error): void {
    open.watch.stop()
    open.cancelIdle()
    open.line.abort(error)
  }

  #gone(peer: PeerLines, open: Line): void {
    open.isClosed = true
    open.watch.stop()
    open.cancelIdle()
    if (peer.open === open) peer.open = undefined
    // something between the two may let it be opened, and nothing through
    if (open.askedBytes > 0 && !open.hasMoved) this.#doWithout(peer)
  }

  #of(peerId: string): PeerLines {
    let peer = this.#peers.get(peerId)
    if (peer === undefined) {
      peer = { open: undefined, seeking: undefined, noneUntilMs: 0, nones: 0 }
      this.#peers.set(peerId, peer)
    }
    return peer
  }
}

/** Each answer counts, however few bytes it has. */
function counted(take: DirectTake, watch: StallWatch): DirectTake {
  return {
    came(blob, saved) {
      watch.answered()
      take.came(blob, saved)
    },
    lacking(hash) {
      watch.answered()
      take.lacking(hash)
    },
    grown: (hash, bytesDone, saved) => take.grown(hash, bytesDone, saved),
    whole: (hash, isRight) => take.whole(hash, isRight)
  }
}
