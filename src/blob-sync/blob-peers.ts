// Streams for blobs to each peer, what it owes, and how it has behaved.

import { BlobsClient } from '../../protocols/blobs/request.ts'
import { BLOBS_ID } from '../../protocols/ids.ts'
import type { Clock } from '../base/clock.ts'
import type { Network } from '../network/network.ts'

/** A peer that failed rests this long, doubling each time in a row. */
const REST_MS = 1000
const REST_MS_MAX = 60_000

interface PeerState {
  client: Promise<BlobsClient> | undefined
  owedBytes: number
  faults: number
  restsUntilMs: number
  receivedBytes: number
  receivedBlobs: number
}

export interface BlobPeersParts {
  readonly network: Pick<Network, 'open' | 'peers'>
  readonly clock: Clock
}

export class BlobPeers {
  readonly #parts: BlobPeersParts
  readonly #peers = new Map<string, PeerState>()

  constructor(parts: BlobPeersParts) {
    this.#parts = parts
  }

  state(peerId: string): Readonly<Omit<PeerState, 'client'>> {
    return this.#of(peerId)
  }

  /** The long-lived stream to a peer, opened when it is first needed. */
  client(peerId: string, signal: AbortSignal): Promise<BlobsClient> {
    const state = this.#of(peerId)
    state.client ??= this.#parts.network
      .open(peerId, BLOBS_ID, signal)
      .then((stream) => new BlobsClient(stream))
    return state.client
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

  /** The stream broke, or what came was not right: the peer rests for a while. */
  failed(peerId: string, error: Error): void {
    const state = this.#of(peerId)
    this.#close(state, error)
    const restMs = Math.min(REST_MS * 2 ** state.faults, REST_MS_MAX)
    state.faults += 1
    state.restsUntilMs = this.#parts.clock.now() + restMs
  }

  /** The peer is gone. */
  drop(peerId: string): void {
    const state = this.#peers.get(peerId)
    if (state === undefined) return
    this.#close(state, new Error('the peer is gone'))
    state.restsUntilMs = 0
    state.faults = 0
  }

  stop(): void {
    for (const id of this.#peers.keys()) this.drop(id)
  }

  #close(state: PeerState, error: Error): void {
    state.client?.then(
      (client) => client.abort(error),
      () => {}
    )
    state.client = undefined
  }

  #of(peerId: string): PeerState {
    let state = this.#peers.get(peerId)
    if (state === undefined) {
      state = {
        client: undefined,
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
