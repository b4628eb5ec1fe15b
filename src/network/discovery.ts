// Finds nodes of the same cluster on the local network, and dials them.

import type { PeerDiscovery, PeerInfo, Startable } from '@libp2p/interface'
import { type MulticastDNSComponents, mdns } from '@libp2p/mdns'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../base/clock.ts'
import { ipOf } from './dial-target.ts'
import { type Interfaces, isOnLink } from './on-link.ts'

/**
 * How often the local network is asked. A node asks at its start and is answered at once; this is
 * for links that come up later and for nodes that return on another port.
 */
const QUERY_MS = 5_000
/** The lower peer id dials at once, the other only if that did not help. */
const SECOND_DIAL_MS = 1_000
/** Anybody on the local network can claim to be many nodes. */
const WAITING_MAX = 64

export interface DiscoveryParts {
  readonly clock: Clock
  readonly ownId: string
  interfaces(): Interfaces
  connected(peerId: string): boolean
  /** Whether this node listens there itself. */
  isOwn(address: Multiaddr): boolean
  /** Another node answers with this node's own peer id. Must not throw. */
  twin(address: Multiaddr): void
  /** A connected peer answers with these; `dialNow` dials those nearby. Must not throw. */
  found(peerId: string, addresses: readonly Multiaddr[], dialNow: () => void): void
  /** Must not throw. */
  dial(addresses: readonly string[]): void
}

/** Decides about each answer that comes. The same node answers again and again. */
export class Discovery {
  readonly #parts: DiscoveryParts
  readonly #waiting = new Map<string, () => void>()

  constructor(parts: DiscoveryParts) {
    this.#parts = parts
  }

  /** `addresses` are without the peer id. */
  found(peerId: string, addresses: readonly Multiaddr[]): void {
    const { clock, ownId, connected, isOwn, twin, found, dial } = this.#parts
    const [first] = addresses
    if (peerId === ownId && first !== undefined && !addresses.some(isOwn)) twin(first)
    if (peerId === ownId || this.#waiting.has(peerId)) return
    const near = addresses.filter((address) => this.#isNear(ipOf(address)))
    if (near.length === 0) return
    const dialNow = () => dial(near.map((address) => `${address}/p2p/${peerId}`))
    if (connected(peerId)) {
      found(peerId, addresses, dialNow)
    } else if (ownId < peerId) {
      dialNow()
    } else if (this.#waiting.size < WAITING_MAX) {
      const cancel = clock.after(SECOND_DIAL_MS, () => {
        this.#waiting.delete(peerId)
        if (!connected(peerId)) dialNow()
      })
      this.#waiting.set(peerId, cancel)
    }
  }

  stop(): void {
    for (const cancel of this.#waiting.values()) cancel()
    this.#waiting.clear()
  }

  /** What answers on the local network is there; others would be dialled for a stranger. */
  #isNear(ip: string | undefined): boolean {
    return ip !== undefined && isOnLink(ip, this.#parts.interfaces())
  }
}

/**
 * Multicast DNS under a service tag. libp2p is not told what it finds: its event for it comes only
 * once for each peer, and its memory of peers has no bound.
 */
export class LocalSearch {
  readonly #components: MulticastDNSComponents
  #search: (PeerDiscovery & Partial<Startable>) | undefined
  /** Two that start at once would leave one running for ever. */
  #turn: Promise<void> = Promise.resolve()

  constructor(components: MulticastDNSComponents) {
    this.#components = components
  }

  /** Takes the place of a search that runs. */
  open(serviceTag: string, discovery: Discovery): Promise<void> {
    return this.#inTurn(async () => {
      await this.#stop()
      await this.#start(serviceTag, discovery)
    })
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#stop())
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #start(serviceTag: string, discovery: Discovery): Promise<void> {
    const search = mdns({ serviceTag, interval: QUERY_MS })(this.#components)
    search.addEventListener('peer', ({ detail }: CustomEvent<PeerInfo>) => {
      discovery.found(detail.id.toString(), detail.multiaddrs)
    })
    this.#search = search
    await this.#search.start?.()
  }

  async #stop(): Promise<void> {
    await this.#search?.stop?.()
    this.#search = undefined
  }
}
