// The network as index sync and replication see it: only peers of this node's own mesh. Who is
// connected but of another mesh can say hello and nothing else.

import type { ByteStream } from '../../protocols/byte-stream.ts'
import { saidAs } from '../base/cause.ts'
import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { ConnectedPeer, Network, ProtocolHandler } from '../network/network.ts'

/** A stream may overtake the hello that admits its peer by so much. */
const VERDICT_MS_MAX = 5_000

type Listener = (peer: ConnectedPeer, event: 'up' | 'down') => void

export type SyncNetwork = Pick<Network, 'id' | 'peers' | 'onPeer' | 'handle' | 'open' | 'ways'>

export class AdmittedNetwork implements SyncNetwork {
  readonly #network: Network
  readonly #clock: Clock
  readonly #admitted = new Map<string, ConnectedPeer>()
  readonly #listeners = new Set<Listener>()
  /** Streams that wait for the verdict about their peer. */
  readonly #waiting = new Map<string, Set<() => void>>()

  constructor({ network, clock }: { network: Network; clock: Clock }) {
    this.#network = network
    this.#clock = clock
    network.onPeer((peer, event) => {
      if (event === 'down') this.dismiss(peer.id)
    })
  }

  get id(): string {
    return this.#network.id
  }

  peers(): readonly ConnectedPeer[] {
    return [...this.#admitted.values()]
  }

  has(peerId: string): boolean {
    return this.#admitted.has(peerId)
  }

  /** A connected peer belongs to this mesh. */
  admit(peerId: string): void {
    const peer = this.#network.peers().find(({ id }) => id === peerId)
    if (peer === undefined || this.#admitted.has(peerId)) return
    this.#admitted.set(peerId, peer)
    for (const resolve of this.#waiting.get(peerId) ?? []) resolve()
    this.#tell(peer, 'up')
  }

  /** The peer is gone, or belongs here no more. */
  dismiss(peerId: string): void {
    const peer = this.#admitted.get(peerId)
    if (this.#admitted.delete(peerId) && peer !== undefined) this.#tell(peer, 'down')
  }

  onPeer(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  handle(handler: ProtocolHandler): void {
    this.#network.handle({
      ...handler,
      serve: async (stream, peer) => {
        if (!this.has(peer.id)) await this.#verdict(peer.id)
        if (!this.has(peer.id)) throw new Error('the peer is of another mesh')
        await handler.serve(stream, peer)
      }
    })
  }

  ways(peerId: string): number {
    return this.#network.ways?.(peerId) ?? 1
  }

  /** Errors: PEER_UNREACHABLE, for a peer of another mesh too. */
  async open(
    peerId: string,
    protocolId: string,
    signal: AbortSignal,
    way?: number
  ): Promise<ByteStream> {
    if (this.has(peerId)) return this.#network.open(peerId, protocolId, signal, way)
    throw new NodeError('PEER_UNREACHABLE', `${peerId} is not connected, or of another mesh.`, {
      ...{ peer: peerId, ...saidAs('server_not_connected', { server: peerId }) }
    })
  }

  #verdict(peerId: string): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(peerId) ?? new Set()
      this.#waiting.set(peerId, waiting)
      const done = () => {
        cancel()
        waiting.delete(done)
        if (waiting.size === 0) this.#waiting.delete(peerId)
        resolve()
      }
      const cancel = this.#clock.after(VERDICT_MS_MAX, done)
      waiting.add(done)
    })
  }

  #tell(peer: ConnectedPeer, event: 'up' | 'down'): void {
    for (const listener of this.#listeners) listener(peer, event)
  }
}
