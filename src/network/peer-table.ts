// Who is connected: one connection per peer that is used, and the ones that are being given up. Two
// nodes with one identity, of which one runs on a copy of the other's data folder, have one each:
// then none of them is given up, for they would take each other's place for ever.

import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../base/clock.ts'
import type { ConnectedPeer } from './network.ts'
import { type PeerLink, PING_BYTES } from './peer-link.ts'
import { planLinks } from './plan-links.ts'

export type PeerListener = (peer: ConnectedPeer, event: 'up' | 'down') => void

/** So long the other side may go on using a connection because it has not seen the better one. */
const GRACE_MS = 1_000
/** The side that dialled closes; the other only if that one does not, and is not there any more. */
const GRACE_OTHER_MS = 5_000
/** For any sign of life of a connection that may be lost. */
const ANSWER_MS = 3_000
const PING = new Uint8Array(PING_BYTES)
/** A dial that goes on for so long after its peer came has not crossed with that of the peer. */
const MET_MS = 3_000

interface Entry {
  /** The one that new streams use. */
  link: PeerLink
  openedMs: number
  /** Others, until their last stream has ended, or for as long as another node is behind them. */
  readonly retired: Set<PeerLink>
}

export class PeerTable {
  readonly #ownId: string
  readonly #clock: Clock
  readonly #peers = new Map<string, Entry>()
  readonly #listeners = new Set<PeerListener>()

  constructor({ clock }: { clock: Clock }, ownId: string) {
    this.#clock = clock
    this.#ownId = ownId
  }

  get(peerId: string): PeerLink | undefined {
    return this.#peers.get(peerId)?.link
  }

  /**
   * Who was dialled at one of these addresses, which name nobody, and is connected: one more
   * connection would take the place of that.
   */
  idAt(addresses: readonly Multiaddr[]): string | undefined {
    const peers = this.peers().filter(({ dialled }) => dialled)
    const isOf = ({ id, address }: ConnectedPeer) =>
      addresses.some((one) => `${one}/p2p/${id}` === address)
    return peers.find(isOf)?.id
  }

  find(connection: Connection): PeerLink | undefined {
    return this.links(connection.remotePeer.toString()).find(
      (link) => link.connection === connection
    )
  }

  peers(): readonly ConnectedPeer[] {
    return [...this.#peers.values()].map(({ link }) => link.peer)
  }

  /** All connections, or those of one peer, the one that is used first. */
  links(peerId?: string): readonly PeerLink[] {
    const one = peerId === undefined ? undefined : this.#peers.get(peerId)
    const entries = peerId === undefined ? [...this.#peers.values()] : one ? [one] : []
    return entries.flatMap(({ link, retired }) => [link, ...retired])
  }

  onPeer(listener: PeerListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * For a dial: aborted where the peer is connected, or has come by itself while the dial goes on,
   * for one that ends later would take the place of a good connection. Not at once: of two dials
   * that cross none would be left.
   */
  whenMet(peerId: string): { readonly signal: AbortSignal; readonly end: () => void } {
    const met = new AbortController()
    const abort = () => met.abort(new Error('the peer is connected'))
    if (this.#peers.has(peerId)) abort()
    let cancel = () => {}
    const off = this.onPeer(({ id }, event) => {
      if (id !== peerId) return
      cancel()
      if (event === 'up') cancel = this.#clock.after(MET_MS, abort)
    })
    const end = () => {
      off()
      cancel()
    }
    return { signal: met.signal, end }
  }

  add(link: PeerLink): void {
    const openedMs = this.#clock.monotonicMs()
    const entry = this.#peers.get(link.peer.id)
    if (entry === undefined) {
      this.#peers.set(link.peer.id, { link, openedMs, retired: new Set() })
      this.#tell(link.peer, 'up')
      return
    }
    const older = { dialled: entry.link.peer.dialled, openedMs: entry.openedMs }
    const newer = { dialled: link.peer.dialled, openedMs }
    const ids = { own: this.#ownId, peer: link.peer.id }
    const plan = planLinks(older, newer, ids)
    if (plan === 'anew') {
      this.#meetAnew(entry, { link, openedMs, retired: new Set() })
      return
    }
    if (plan === 'older') {
      this.#retire(entry, link)
      return
    }
    const { link: former } = entry
    entry.link = link
    entry.openedMs = openedMs
    this.#retire(entry, former)
  }

  remove(connection: Connection): void {
    const id = connection.remotePeer.toString()
    const entry = this.#peers.get(id)
    if (entry === undefined) return
    for (const link of entry.retired) {
      if (link.connection === connection) entry.retired.delete(link)
    }
    if (entry.link.connection !== connection) return
    const [next] = entry.retired
    if (next !== undefined) {
      entry.retired.delete(next)
      entry.link = next
      return
    }
    this.#peers.delete(id)
    this.#tell(entry.link.peer, 'down')
  }

  /**
   * The other side has lost the connections of before, and what waits on them would wait in vain.
   * One that answers all the same is that of another node.
   */
  #meetAnew({ link: former, retired }: Entry, entry: Entry): void {
    const { peer } = entry.link
    const before = [former, ...retired]
    retired.clear()
    this.#peers.delete(peer.id)
    this.#tell(former.peer, 'down')
    for (const link of before) entry.retired.add(link)
    this.#peers.set(peer.id, entry)
    this.#tell(peer, 'up')
    const error = new Error('the other side has connected anew')
    for (const link of before) {
      link.abortStreams(error)
      this.#unlessItAnswers(link, () => link.connection.abort(error))
    }
  }

  #unlessItAnswers(link: PeerLink, end: () => void): void {
    const before = link.signsOfLife
    link.pingQuietly(PING)
    this.#clock.after(ANSWER_MS, () => {
      if (link.signsOfLife === before) end()
    })
  }

  #retire(entry: Entry, link: PeerLink): void {
    entry.retired.add(link)
    const close = () => void link.close(new Error('another connection with the same peer is used'))
    const look = () => {
      if (!entry.retired.has(link)) return
      if (link.busy) this.#clock.after(GRACE_MS, look)
      else if (link.peer.dialled) close()
      // who is there would have closed it, unless it has no other
      else this.#unlessItAnswers(link, close)
    }
    this.#clock.after(link.peer.dialled ? GRACE_MS : GRACE_OTHER_MS, look)
  }

  #tell(peer: ConnectedPeer, event: 'up' | 'down'): void {
    for (const listener of this.#listeners) listener(peer, event)
  }
}
