// Streams for blobs to each peer, what it owes, and how it has behaved.

import type { BlobItem } from '../../protocols/blobs/parse-request.ts'
import { type BlobAnswer, BlobsClient } from '../../protocols/blobs/request.ts'
import { BLOBS_ID } from '../../protocols/ids.ts'
import type { Clock } from '../base/clock.ts'
import type { Network } from '../network/network.ts'
import { StallWatch } from './stall-watch.ts'

/** A peer that failed rests this long, doubling each time in a row. */
const REST_MS = 1000
const REST_MS_MAX = 60_000

/** How a peer has behaved. */
export interface PeerConduct {
  /** Bytes that it was asked for and that have not come. */
  readonly owedBytes: number
  /** Until then, by the monotonic clock, it is left alone. */
  readonly restsUntilMs: number
  readonly receivedBytes: number
  readonly receivedBlobs: number
}

interface PeerState extends PeerConduct {
  owedBytes: number
  restsUntilMs: number
  receivedBytes: number
  receivedBlobs: number
  faults: number
  readonly lines: Map<LineKind, Line>
}

/** Small blobs that readers wait for do not wait behind bulk. */
export type LineKind = 'bulk' | 'reads'

/** A long-lived stream to a peer. */
interface Line {
  readonly client: Promise<BlobsClient>
  readonly watch: StallWatch
  /** Requests that are not answered yet. */
  asked: number
}

export interface BlobPeersParts {
  readonly network: Pick<Network, 'open' | 'peers'>
  readonly clock: Clock
}

export interface FetchOptions {
  readonly line: LineKind
  readonly signal: AbortSignal
  /** A peer from which nothing comes for so long has failed. */
  readonly stallMs: number
}

export class BlobPeers {
  readonly #parts: BlobPeersParts
  readonly #peers = new Map<string, PeerState>()

  constructor(parts: BlobPeersParts) {
    this.#parts = parts
  }

  state(peerId: string): PeerConduct {
    return this.#of(peerId)
  }

  /**
   * Asks for blobs over a long-lived stream, as BlobsClient does; `onBlob` may take its own time.
   * What is thrown, also because nothing came any more, has broken the stream for all who use it.
   */
  async fetch(
    peerId: string,
    items: readonly BlobItem[],
    onBlob: (answer: BlobAnswer) => Promise<void>,
    options: FetchOptions
  ): Promise<void> {
    const line = this.#lineTo(peerId, options)
    const { watch } = line
    if (line.asked++ === 0) watch.wait()
    try {
      const client = await line.client
      const take = async (answer: BlobAnswer) => {
        watch.rest()
        await onBlob(watch.watchedAnswer(answer))
        watch.wait()
      }
      await client.fetch(items, take, options.signal)
    } catch (error) {
      this.#close(this.#of(peerId), line, error as Error)
      throw error
    } finally {
      if (--line.asked === 0) watch.stop()
    }
  }

  owes(peerId: string, bytes: number): void {
    this.#of(peerId).owedBytes += bytes
  }

  received(peerId: string, bytes: number): void {
    const state = this.#of(peerId)
    state.faults = 0
    state.receivedBytes += bytes
    state.receivedBlobs += 1
  }

  /**
   * A stream broke, or what came was not right: the peer rests for a while. Several requests that
   * end with one stream are one fault.
   */
  failed(peerId: string): void {
    const state = this.#of(peerId)
    const nowMs = this.#parts.clock.monotonicMs()
    if (state.restsUntilMs > nowMs) return
    state.restsUntilMs = nowMs + Math.min(REST_MS * 2 ** state.faults, REST_MS_MAX)
    state.faults += 1
  }

  /** The peer is gone. */
  drop(peerId: string): void {
    const state = this.#peers.get(peerId)
    if (state === undefined) return
    for (const line of state.lines.values()) this.#close(state, line, new Error('the peer is gone'))
    state.restsUntilMs = 0
    state.faults = 0
  }

  stop(): void {
    for (const id of this.#peers.keys()) this.drop(id)
  }

  #lineTo(peerId: string, { line: kind, signal, stallMs }: FetchOptions): Line {
    const state = this.#of(peerId)
    const { network, clock } = this.#parts
    let line = state.lines.get(kind)
    if (line === undefined) {
      const opening = network.open(peerId, BLOBS_ID, signal)
      const opened: Line = {
        client: opening.then((stream) => new BlobsClient(stream)),
        watch: new StallWatch(clock, stallMs, () => this.#close(state, opened, stalled(stallMs))),
        asked: 0
      }
      line = opened
      state.lines.set(kind, line)
    }
    return line
  }

  #close(state: PeerState, line: Line, error: Error): void {
    for (const [kind, one] of state.lines) if (one === line) state.lines.delete(kind)
    line.watch.stop()
    line.client.then(
      (client) => client.abort(error),
      () => {}
    )
  }

  #of(peerId: string): PeerState {
    let state = this.#peers.get(peerId)
    if (state === undefined) {
      state = {
        lines: new Map(),
        owedBytes: 0,
        faults: 0,
        restsUntilMs: 0,
        receivedBytes: 0,
        receivedBlobs: 0
      }
      this.#peers.set(peerId, state)
    }
    return state
  }
}

/** What a peer gets to hear that sends nothing any more. */
export function stalled(stallMs: number): Error {
  return new Error(`nothing came for ${stallMs / 1000} s (file_storage.sync_timeout)`)
}
