// The seam between the node and the wire: which peers are there, and streams to them. One contract,
// two networks: libp2p and memory.

import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { Figure } from '../base/figure.ts'
import type { Admission } from './admission.ts'
import type { PeerCounters } from './counters.ts'

/** A peer that this node has a connection with. */
export interface ConnectedPeer {
  /** `12D3KooW…`, proved by the handshake. */
  readonly id: string
  /** The address of the connection, as a multiaddr. */
  readonly address: string
  /** Whether this side dialled. */
  readonly dialled: boolean
  readonly sinceMs: number
  /** Whether it came by the secret of before, which still opens for a while. */
  readonly isFormer?: boolean
  /** The last round trip, in milliseconds; undefined where none was measured. */
  readonly latencyMs?: number | undefined
}

/** Bytes of streams with all peers, without what encryption and framing add. */
export interface NetworkTraffic {
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface ProtocolHandler {
  /** Protocol id such as /tumesh/blobs/1. */
  readonly id: string
  /** Streams of this protocol that one peer may have open at a time. */
  readonly streamsMax: number
  /**
   * Serves one stream to its end. What it throws aborts the stream and is counted against the peer;
   * when it resolves, its half of the stream is ended.
   */
  serve(stream: ByteStream, peer: ConnectedPeer): Promise<void>
}

export interface Network {
  /** This node's own peer id. */
  readonly id: string
  /** What a person must mend, in words; undefined if nothing. */
  readonly fault?: string | undefined
  /** Addresses under which others reach it, with its peer id. Empty before start. */
  addresses(): readonly string[]
  peers(): readonly ConnectedPeer[]
  /** Since the start of the process. */
  traffic(): NetworkTraffic
  /** What it counts of itself, for monitors; there may be nothing. */
  figures?(): Promise<readonly Figure[]>
  /** What was exchanged with one peer, and how many of its streams ended in an error here. */
  counters(peerId: string): PeerCounters
  /** To be called before start. */
  handle(handler: ProtocolHandler): void
  /**
   * Called for each peer that comes and goes; one connection per pair. A peer that connects anew
   * before it was missed goes first. The listener must not throw.
   * Returns a function that takes it off.
   */
  onPeer(listener: (peer: ConnectedPeer, event: 'up' | 'down') => void): () => void
  start(): Promise<void>
  /** Closes all connections and resolves when nothing is under way any more. */
  stop(): Promise<void>
  /**
   * Connects to any of the addresses of one peer, unless it comes by itself meanwhile. Errors:
   * PEER_UNREACHABLE with the cause in words (refused, nothing listens, wrong cluster or secret,
   * only private addresses), SAME_NODE.
   */
  dial(addresses: readonly string[], signal: AbortSignal): Promise<ConnectedPeer>
  /**
   * A new stream to a connected peer; `way`: over that one of its connections, counted from 0.
   * Errors: PEER_UNREACHABLE.
   */
  open(peerId: string, protocolId: string, signal: AbortSignal, way?: number): Promise<ByteStream>
  /**
   * Connections with a peer. More than one for a moment where two dials have crossed, and for good
   * where two nodes have one identity. Without this function there is one at most.
   */
  ways?(peerId: string): number
  /** Closes the connection with a peer, if there is one. */
  hangUp(peerId: string): Promise<void>
  /** Hangs up and meets the peer no more, until allowed. */
  deny(peerId: string): Promise<void>
  allow(peerId: string): void
  /** Lets only nodes with another secret enter from now on; connections that exist stay. */
  admit(admission: Admission): Promise<void>
}
