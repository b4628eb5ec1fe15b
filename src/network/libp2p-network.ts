// The network over libp2p: one connection per peer, streams over it, nothing left when it stops.

import { setMaxListeners } from 'node:events'
import { networkInterfaces } from 'node:os'
import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { Clock, Random } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Loop } from '../base/loop.ts'
import { type Admission, isFormerDoor } from './admission.ts'
import { CounterTable, type PeerCounters } from './counters.ts'
import { withDeadline } from './deadline.ts'
import { dialError, notOnLink, sameNode, stopping } from './dial-error.ts'
import { compareByPromise, hostAndPortOf, ipOf, readTarget, resolveNames } from './dial-target.ts'
import { Discovery } from './discovery.ts'
import { createGater } from './gater.ts'
import type { Identity } from './identity.ts'
import { Libp2pMetrics } from './libp2p-metrics.ts'
import { type CreatedNode, createNode } from './libp2p-setup.ts'
import { listenAddresses, listenError } from './listen-addresses.ts'
import { startLiveness } from './liveness.ts'
import { MovedPeers } from './moved-peers.ts'
import type { ConnectedPeer, Network, NetworkTraffic, ProtocolHandler } from './network.ts'
import { type Interfaces, isOnLink } from './on-link.ts'
import { openError } from './open-error.ts'
import { PeerLink, PING_BYTES } from './peer-link.ts'
import { type PeerListener, PeerTable } from './peer-table.ts'
import { Serving } from './serving.ts'
import { TwinWatch } from './twin-watch.ts'

/** All addresses of a peer together; each alone has less. */
const DIAL_MS = 20_000
const OPEN_MS = 10_000
/** Until the other side, which may refuse only after the handshake, has answered a ping. */
const PROOF_MS = 10_000
/** Handlers whose streams broke end at once; a stop waits no longer for others. */
const HANDLERS_MS = 5_000
const CLOSE_MS = 1_000
/** Of a protocol that this node does not serve itself. */
const STREAMS_MAX = 64

export interface Libp2pNetworkParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Where others count as well; else a table of its own. */
  readonly counters?: CounterTable
}

export interface Libp2pNetworkOptions {
  readonly identity: Identity
  readonly admission: Admission
  /** IP address or name to listen on; `::` means IPv4 as well. */
  readonly host: string
  /** Undefined or 0: a free one. */
  readonly port: number | undefined
  /** Where none is set: that of the last run, by which others know this node, if it is free. */
  readonly lastPort?: number | undefined
  /** Whether to look for nodes on the local network. */
  readonly mdns: boolean
}

/** Works from one start to one stop. */
export class Libp2pNetwork implements Network {
  readonly id: string
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  readonly #options: Libp2pNetworkOptions
  readonly #handlers: ProtocolHandler[] = []
  readonly #counters: CounterTable
  readonly #metrics: Libp2pMetrics
  readonly #peers: PeerTable
  readonly #twins: TwinWatch
  readonly #discovery: Discovery
  readonly #moved: MovedPeers
  readonly #denied = new Set<string>()
  /** Connections that this side dialled, until the other has answered. */
  readonly #proofs = new Map<Connection, Promise<void>>()
  readonly #serving: Serving
  readonly #stopped = new AbortController()
  #admission: Admission
  #created: CreatedNode | undefined
  #liveness: Loop | undefined

  constructor(parts: Libp2pNetworkParts, options: Libp2pNetworkOptions) {
    this.id = options.identity.peerId
    this.#clock = parts.clock
    this.#random = parts.random
    this.#log = parts.log
    this.#counters = parts.counters ?? new CounterTable(parts)
    this.#metrics = new Libp2pMetrics({ clock: parts.clock, counters: this.#counters })
    this.#counters.onRest = (peerId) => void this.hangUp(peerId)
    this.#options = options
    this.#admission = options.admission
    // every dial and every open listens to it
    setMaxListeners(0, this.#stopped.signal)
    this.#peers = new PeerTable(parts, this.id)
    const enter = (connection: Connection) => this.#enter(connection)
    const { signal: stopped } = this.#stopped
    this.#serving = new Serving({ log: parts.log, counters: this.#counters, stopped, enter })
    this.#moved = new MovedPeers({ ...parts, links: (peerId) => this.#peers.links(peerId) })
    this.#twins = new TwinWatch(parts)
    this.#discovery = new Discovery({
      clock: parts.clock,
      ownId: this.id,
      interfaces,
      connected: (peerId) => this.#peers.get(peerId) !== undefined,
      isOwn: (address) => this.addresses().includes(`${address}/p2p/${this.id}`),
      twin: (address) => this.#twins.met(hostAndPortOf(address)),
      found: (...found) => this.#moved.found(...found),
      dial: (addresses) => this.#dialFound(addresses)
    })
  }

  /** The port that others dial; undefined before start. */
  get port(): number | undefined {
    const [address] = this.#created?.libp2p.getMultiaddrs() ?? []
    const port = address?.getComponents().find(({ name }) => name === 'tcp')?.value
    return port === undefined ? undefined : Number(port)
  }

  addresses(): readonly string[] {
    return this.#created?.libp2p.getMultiaddrs().map(String) ?? []
  }

  peers(): readonly ConnectedPeer[] {
    return this.#peers.peers()
  }

  traffic(): NetworkTraffic {
    return this.#counters.total
  }

  figures = () => this.#metrics.figures()

  get fault(): string | undefined {
    return this.#twins.fault
  }

  counters(peerId: string): PeerCounters {
    return this.#counters.get(peerId)
  }

  handle(handler: ProtocolHandler): void {
    this.#handlers.push(handler)
  }

  onPeer(listener: PeerListener): () => void {
    return this.#peers.onPeer(listener)
  }

  /** Errors: PORT_TAKEN, ADDRESS_UNUSABLE. */
  async start(): Promise<void> {
    const { port, lastPort, mdns } = this.#options
    const created =
      port || !lastPort
        ? await this.#listen(port ?? 0)
        : await this.#listen(lastPort).catch(() => this.#listen(0))
    this.#created = created
    const { libp2p, setDoors } = created
    setDoors(this.#admission.doors) // another admission may have come meanwhile
    const parts = { clock: this.#clock, random: this.#random, log: this.#log }
    this.#liveness = startLiveness({ ...parts, links: () => this.#peers.links() })
    if (mdns) await libp2p.services.search.open(this.#admission.serviceTag, this.#discovery)
  }

  async #listen(port: number): Promise<CreatedNode> {
    const { host, identity } = this.#options
    const { libp2p, setDoors } = await createNode({
      privateKey: identity.privateKey,
      listen: await listenAddresses(host, port),
      metrics: this.#metrics,
      gater: createGater({
        denied: { has: (id) => this.#denied.has(id) || this.#counters.rests(id) },
        onLinkOnly: () => this.#admission.onLinkOnly,
        interfaces
      }),
      doors: this.#admission.doors,
      compareAddresses: (a, b) => compareByPromise(a, b, interfaces())
    })
    libp2p.addEventListener('connection:open', ({ detail }) => this.#onOpen(detail))
    libp2p.addEventListener('connection:close', ({ detail }) => this.#onClose(detail))
    await Promise.all(this.#handlers.map((handler) => this.#serving.register(libp2p, handler)))
    try {
      await libp2p.start()
    } catch (error) {
      throw listenError(error, host, port)
    }
    return { libp2p, setDoors }
  }

  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return
    const reason = stopping()
    this.#stopped.abort(reason)
    const libp2p = this.#created?.libp2p
    if (libp2p === undefined) return
    await libp2p.services.search.close()
    this.#discovery.stop()
    this.#moved.stop()
    await this.#liveness?.stop()
    const links = this.#peers.links()
    for (const link of links) link.abortStreams(reason)
    await withDeadline(this.#clock, HANDLERS_MS, [], () => this.#serving.idle()).catch(() =>
      this.#log.warn('handlers still run; stopping all the same')
    )
    await withDeadline(this.#clock, CLOSE_MS, [], () =>
      Promise.all(links.map((link) => link.close(reason)))
    ).catch(() => this.#log.debug('connections did not close in time; they are cut'))
    await libp2p.stop()
    await Promise.allSettled(this.#proofs.values())
  }

  async dial(texts: readonly string[], signal: AbortSignal): Promise<ConnectedPeer> {
    const { addresses, peerId = this.#peers.idAt(addresses) ?? '' } = readTarget(texts)
    if (peerId === this.id) throw sameNode()
    const met = this.#peers.whenMet(peerId)
    const signals = [signal, this.#stopped.signal, met.signal]
    try {
      return await withDeadline(this.#clock, DIAL_MS, signals, (either) =>
        this.#connect(addresses, either)
      )
    } catch (error) {
      const link = this.#peers.get(peerId)
      if (link !== undefined) return link.peer
      throw dialError(error, addresses)
    } finally {
      met.end()
    }
  }

  ways(peerId: string): number {
    return this.#peers.links(peerId).length
  }

  async open(
    peerId: string,
    protocolId: string,
    signal: AbortSignal,
    way = 0
  ): Promise<ByteStream> {
    const link = this.#peers.links(peerId)[way]
    if (link === undefined) throw openError(new Error('not connected'), peerId, protocolId)
    try {
      const signals = [signal, this.#stopped.signal]
      const streamsMax = this.#handlers.find(({ id }) => id === protocolId)?.streamsMax
      return await withDeadline(this.#clock, OPEN_MS, signals, (either) =>
        link.open(protocolId, streamsMax ?? STREAMS_MAX, either)
      )
    } catch (error) {
      throw openError(error, peerId, protocolId)
    }
  }

  async hangUp(peerId: string): Promise<void> {
    const error = new Error('this side hung up')
    await Promise.all(this.#peers.links(peerId).map((link) => link.close(error)))
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
    this.#created?.setDoors(admission.doors)
    const search = this.#created?.libp2p.services.search
    if (this.#options.mdns) await search?.open(admission.serviceTag, this.#discovery)
  }

  async #connect(named: readonly Multiaddr[], signal: AbortSignal): Promise<ConnectedPeer> {
    const libp2p = this.#created?.libp2p
    if (libp2p === undefined) throw stopping()
    const resolved = await resolveNames(named)
    const onLink = (address: Multiaddr) => isOnLink(ipOf(address) ?? '', interfaces())
    const addresses = this.#admission.onLinkOnly ? resolved.filter(onLink) : resolved
    if (addresses.length === 0) throw notOnLink(named)
    const connection = await libp2p.dial(addresses, { signal })
    await this.#proofs.get(connection)
    const link = this.#peers.get(connection.remotePeer.toString())
    if (link === undefined) throw new Error('ConnectionClosed: the other side hung up at once')
    return link.peer
  }

  #dialFound(addresses: readonly string[]): void {
    this.dial(addresses, this.#stopped.signal).catch((error: unknown) => {
      this.#log.debug({ addresses, err: error }, 'a node that was found could not be reached')
    })
  }

  #onOpen(connection: Connection): void {
    if (this.#stopped.signal.aborted) {
      connection.abort(stopping())
    } else if (connection.direction === 'inbound') {
      this.#enter(connection)
    } else {
      const proof = this.#prove(connection)
      this.#proofs.set(connection, proof)
      proof.catch(() => {}).finally(() => this.#proofs.delete(connection))
    }
  }

  #onClose(connection: Connection): void {
    const link = this.#peers.find(connection)
    this.#peers.remove(connection)
    const peerId = connection.remotePeer
    if (this.#peers.get(peerId.toString()) !== undefined) return
    if (link !== undefined) this.#log.info({ peer: link.peer.id }, 'disconnected from a node')
    // its memory of peers has no bound
    this.#created?.libp2p.peerStore.delete(peerId).catch(() => {})
  }

  /** The other side may refuse a connection that looks complete here: it counts once it answers. */
  async #prove(connection: Connection): Promise<void> {
    const link = this.#linkOf(connection)
    try {
      await withDeadline(this.#clock, PROOF_MS, [this.#stopped.signal], (signal) =>
        link.ping(this.#random.bytes(PING_BYTES), signal)
      )
      this.#enter(connection, link)
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }

  /** The link of a connection, which is up from now on. */
  #enter(connection: Connection, link = this.#linkOf(connection)): PeerLink {
    const known = this.#peers.find(connection)
    if (known !== undefined || connection.status !== 'open') return known ?? link
    this.#peers.add(link)
    const { id, address, dialled } = link.peer
    this.#log.info({ peer: id, address, dialled }, 'connected to a node')
    return link
  }

  #linkOf(connection: Connection): PeerLink {
    const isFormer = isFormerDoor(this.#admission, connection.encryption)
    return new PeerLink(connection, this.#counters, this.#clock, isFormer)
  }
}

const interfaces: () => Interfaces = networkInterfaces
