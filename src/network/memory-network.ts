// The network of a simulation: the same contract as over libp2p, without sockets and timers.

import type { ByteStream } from '../../protocols/byte-stream.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Admission, createAdmission, type Door, isFormerDoor } from './admission.ts'
import { CounterTable, type PeerCounters } from './counters.ts'
import { withDeadline } from './deadline.ts'
import type { LinkMeter, MemoryLink, Refusal, WireNode } from './memory-link.ts'
import { type MemoryWire, readMemoryAddress } from './memory-wire.ts'
import type { ConnectedPeer, Network, NetworkTraffic, ProtocolHandler } from './network.ts'
import { openError } from './open-error.ts'
import { TooManyStreams } from './peer-link.ts'
import type { PeerListener } from './peer-table.ts'

const DIAL_MS = 20_000
const OPEN_MS = 10_000
const HANDLERS_MS = 5_000
const STREAMS_MAX = 64

export interface MemoryNetworkParts {
  readonly wire: MemoryWire
  readonly log: Log
}

export interface MemoryNetworkOptions {
  readonly id: string
  /** Where others find it: another one after a restart is a change of address. */
  readonly place?: string
  readonly admission?: Admission
}

interface Peer {
  readonly link: MemoryLink
  readonly peer: ConnectedPeer
  /** Open streams by protocol, with the side that opened them. */
  readonly streams: Map<string, number>
}

const NO_SECRET = createAdmission('', undefined).doors

/** Works from one start to one stop. */
export class MemoryNetwork implements Network, WireNode {
  readonly id: string
  readonly place: string
  readonly #wire: MemoryWire
  readonly #log: Log
  readonly #handlers = new Map<string, ProtocolHandler>()
  readonly #counters = new CounterTable()
  readonly #peers = new Map<string, Peer>()
  readonly #listeners = new Set<PeerListener>()
  readonly #denied = new Set<string>()
  readonly #serving = new Set<Promise<void>>()
  readonly #stopped = new AbortController()
  #admission: Admission | undefined
  #started = false

  constructor({ wire, log }: MemoryNetworkParts, options: MemoryNetworkOptions) {
    this.#wire = wire
    this.#log = log
    this.id = options.id
    this.place = options.place ?? options.id
    this.#admission = options.admission
  }

  addresses(): readonly string[] {
    return this.#started ? [`/memory/${this.place}/p2p/${this.id}`] : []
  }

  peers(): readonly ConnectedPeer[] {
    return [...this.#peers.values()].map(({ peer }) => peer)
  }

  traffic(): NetworkTraffic {
    return this.#counters.total
  }

  counters(peerId: string): PeerCounters {
    return this.#counters.get(peerId)
  }

  handle(handler: ProtocolHandler): void {
    this.#handlers.set(handler.id, handler)
  }

  onPeer(listener: PeerListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async start(): Promise<void> {
    this.#started = true
    this.#wire.attach(this)
  }

  async stop(): Promise<void> {
    this.#stopped.abort(stopping())
    this.#wire.detach(this)
    await withDeadline(this.#wire.clock, HANDLERS_MS, [], () => Promise.all(this.#serving)).catch(
      () => this.#log.warn('handlers still run; stopping all the same')
    )
  }

  async dial(addresses: readonly string[], signal: AbortSignal): Promise<ConnectedPeer> {
    const failures: unknown[] = []
    for (const address of addresses) {
      const { id } = readMemoryAddress(address)
      const known = id === undefined ? undefined : this.#peers.get(id)
      if (known !== undefined) return known.peer
      try {
        const signals = [signal, this.#stopped.signal]
        return await withDeadline(this.#wire.clock, DIAL_MS, signals, async (either) => {
          const link = await this.#wire.connect(this, address, either)
          return this.#peerOf(link).peer
        })
      } catch (error) {
        failures.push(error)
      }
    }
    const [first] = failures
    if (first instanceof NodeError) throw first
    const place = addresses[0] ?? 'no address'
    const details = { reason: 'timed-out' }
    throw new NodeError('PEER_UNREACHABLE', `${place} did not answer in time.`, details)
  }

  async open(peerId: string, protocolId: string, signal: AbortSignal): Promise<ByteStream> {
    try {
      const signals = [signal, this.#stopped.signal]
      return await withDeadline(this.#wire.clock, OPEN_MS, signals, (either) =>
        this.#open(peerId, protocolId, either)
      )
    } catch (error) {
      throw openError(error, peerId, protocolId)
    }
  }

  async hangUp(peerId: string): Promise<void> {
    if (this.#peers.has(peerId)) this.#wire.hangUp(this, peerId)
  }

  async deny(peerId: string): Promise<void> {
    this.#denied.add(peerId)
    await this.hangUp(peerId)
  }

  allow(peerId: string): void {
    this.#denied.delete(peerId)
  }

  async admit(admission: Admission): Promise<void> {
    this.#admission = admission
  }

  doors(): readonly Door[] {
    return this.#admission?.doors ?? NO_SECRET
  }

  admits(peerId: string): boolean {
    return !this.#denied.has(peerId)
  }

  up(link: MemoryLink): void {
    const { id } = link.other(this)
    const before = this.#peers.get(id)
    if (before?.link === link) return
    const peer = {
      id,
      address: `/memory/${link.other(this).place}/p2p/${id}`,
      dialled: link.nodes[0] === this,
      sinceMs: this.#wire.clock.now(),
      isFormer: this.#admission !== undefined && isFormerDoor(this.#admission, link.door)
    }
    this.#peers.set(id, { link, peer, streams: new Map() })
    if (before === undefined) this.#tell(peer, 'up')
  }

  down(link: MemoryLink): void {
    const { id } = link.other(this)
    const known = this.#peers.get(id)
    if (known?.link !== link) return
    this.#peers.delete(id)
    this.#tell(known.peer, 'down')
  }

  accept(link: MemoryLink, protocolId: string): Refusal | undefined {
    if (!link.openFor(this)) return 'gone'
    // a stream of the other side is an answer as well
    if (!this.#peers.has(link.other(this).id)) this.up(link)
    const handler = this.#handlers.get(protocolId)
    if (handler === undefined) return 'unknown'
    const open = this.#peers.get(link.other(this).id)?.streams.get(`in ${protocolId}`) ?? 0
    return open >= handler.streamsMax ? 'busy' : undefined
  }

  serve(link: MemoryLink, protocolId: string, stream: ByteStream): void {
    const peer = this.#peerOf(link)
    const serving = this.#serve(this.#handlers.get(protocolId) as ProtocolHandler, stream, peer)
    this.#serving.add(serving)
    serving.finally(() => this.#serving.delete(serving))
  }

  meter(link: MemoryLink, key: string): LinkMeter {
    const { peer, streams } = this.#peerOf(link)
    const count = (by: number) => streams.set(key, (streams.get(key) ?? 0) + by)
    let open = true
    count(1)
    return {
      received: (bytes) => this.#counters.received(peer.id, bytes),
      sent: (bytes) => this.#counters.sent(peer.id, bytes),
      closed: () => {
        if (open) count(-1)
        open = false
      }
    }
  }

  async #open(peerId: string, protocolId: string, signal: AbortSignal): Promise<ByteStream> {
    const known = this.#peers.get(peerId)
    if (known === undefined) throw new Error('not connected')
    const streamsMax = this.#handlers.get(protocolId)?.streamsMax ?? STREAMS_MAX
    if ((known.streams.get(`out ${protocolId}`) ?? 0) >= streamsMax) throw new TooManyStreams()
    const meter = this.meter(known.link, `out ${protocolId}`)
    try {
      return await known.link.openStream(this, protocolId, meter, signal)
    } catch (error) {
      meter.closed()
      throw error
    }
  }

  /** Never rejects. */
  async #serve(handler: ProtocolHandler, stream: ByteStream, { peer }: Peer): Promise<void> {
    try {
      await handler.serve(stream, peer)
      await stream.end()
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)))
      if (this.#stopped.signal.aborted) return
      this.#counters.fault(peer.id)
      this.#log.debug({ err: error, peer: peer.id, protocol: handler.id }, 'a stream failed')
    }
  }

  #peerOf(link: MemoryLink): Peer {
    const known = this.#peers.get(link.other(this).id)
    if (known === undefined) throw new Error('not connected')
    return known
  }

  #tell(peer: ConnectedPeer, event: 'up' | 'down'): void {
    for (const listener of this.#listeners) listener(peer, event)
  }
}

function stopping(): NodeError {
  return new NodeError('STOPPING', 'The node is stopping.')
}
