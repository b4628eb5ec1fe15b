// Lanes: connections beside libp2p on which bulk bytes pass without JavaScript touching each of
// them. A key for each is agreed on over the connection that stands, so whoever may not enter the
// mesh gets no lane; a lane ends with that connection. Who dialled it dials the lanes as well.

import type { TLSSocket } from 'node:tls'
import { multiaddr } from '@multiformats/multiaddr'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import { LANE_ID } from '../../protocols/ids.ts'
import type { LaneKey } from '../../protocols/lane/key.ts'
import { requestGrant, requestOffer } from '../../protocols/lane/request.ts'
import { laneProtocol } from '../../protocols/lane/serve.ts'
import { STATUS, StatusError } from '../../protocols/status.ts'
import type { Clock, Random } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { SpareBuffers } from '../base/spare-buffers.ts'
import type { CounterTable } from './counters.ts'
import { withDeadline } from './deadline.ts'
import { ipOf } from './dial-target.ts'
import { LaneKeys } from './lane-keys.ts'
import { LaneInbox, type LaneMeter, LaneStream, type LaneUse, SEND_BYTES } from './lane-stream.ts'
import { dialLane, LaneServer, plainIp, type SideDoor } from './lane-tls.ts'
import type { ConnectedPeer, Network } from './network.ts'

export interface LanesParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly counters: CounterTable
}

export interface LanesOptions {
  readonly host: string
  /** Undefined: a free one. */
  readonly port: number | undefined
  /** Where none is set: that of the last run, if it is still to be had. */
  readonly lastPort?: number | undefined
}

/** Peers that belong to this mesh, and nobody else. */
export interface LanesUse {
  readonly network: Pick<Network, 'handle' | 'open' | 'onPeer' | 'peers'>
  /** Answers a peer that asks on a lane, until it ends. */
  readonly serve: (stream: ByteStream, peerId: string) => Promise<void>
}

/** A lane that is closed with the connection it belongs to. */
export interface HeldLane {
  abort(error: Error): void
  /** Calls the listener once it has closed; at once or soon where it has. */
  onClose(listener: () => void): void
}

/** What somebody else dials a lane with. */
export interface LaneDial {
  readonly key: LaneKey
  readonly ip: string
  readonly meter: LaneMeter
}

const OPEN_MS = 5_000
/** What is done for a peer may wait for something; a stop does not. */
const HANDLERS_MS = 2_000
/** On which one peer asks, and on which it is asked. */
const LANES_PER_PEER_MAX = 8
const READ_BYTES = 64 * 1024
/** For what is read from the disk to be sent. */
const BUFFERS = { bytesMax: SEND_BYTES, keptBytesMax: 8 * SEND_BYTES }

export class Lanes {
  readonly #parts: LanesParts
  readonly #options: LanesOptions
  readonly #keys: LaneKeys
  readonly #server: LaneServer
  readonly #buffers = new SpareBuffers(BUFFERS)
  readonly #open = new Map<string, Set<HeldLane>>()
  /** Lanes that are being dialled because a peer asked for it. */
  readonly #dialling = new Map<string, number>()
  readonly #working = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #use: LanesUse | undefined

  constructor(parts: LanesParts, options: LanesOptions) {
    this.#parts = parts
    this.#options = options
    this.#keys = new LaneKeys(parts)
    this.#server = new LaneServer(this.#keys)
  }

  /** Undefined before start. */
  get port(): number | undefined {
    return this.#server.port
  }

  /** Answers connections that are no lanes. */
  set sideDoor(door: SideDoor) {
    this.#server.sideDoor = door
  }

  /** Open lanes with a peer, or with all. */
  count(peerId?: string): number {
    if (peerId !== undefined) return this.#open.get(peerId)?.size ?? 0
    return [...this.#open.values()].reduce((sum, lanes) => sum + lanes.size, 0)
  }

  /** To be called once, before the network starts. */
  use(use: LanesUse): void {
    this.#use = use
    const source = {
      grant: (from: string) => this.#grant(from),
      offered: (key: LaneKey, from: string) => this.#offered(key, from)
    }
    use.network.handle({
      id: LANE_ID,
      streamsMax: laneProtocol.limits.streamsMax,
      serve: (stream, { id }) => laneProtocol.serve(stream, source, id)
    })
    use.network.onPeer(({ id }, event) => {
      if (event === 'down') this.close(new Error('the peer is gone'), id)
    })
  }

  /** Errors: PORT_TAKEN, ADDRESS_UNUSABLE. */
  start(): Promise<void> {
    const { host, port, lastPort } = this.#options
    return port ? this.#server.listen(host, port) : this.#server.listenAnywhere(host, lastPort)
  }

  async stop(): Promise<void> {
    const stopping = new NodeError('STOPPING', 'The node is stopping.')
    this.#stop.abort(stopping)
    this.close(stopping)
    await this.#server.close()
    await withDeadline(this.#parts.clock, HANDLERS_MS, [], () => Promise.all(this.#working)).catch(
      () => this.#parts.log.warn('lanes are still answered; stopping all the same')
    )
  }

  /** Closes the lanes with a peer, or all; keys that were given for them are worth nothing. */
  close(error: Error, peerId?: string): void {
    this.#keys.revoke(peerId)
    for (const [id, lanes] of this.#open) {
      if (peerId === undefined || id === peerId) for (const lane of lanes) lane.abort(error)
    }
  }

  /**
   * A lane to ask a peer on; `onClose` hears that it has closed, whoever did. Throws whatever keeps
   * it from being opened.
   */
  async open(peerId: string, onClose: () => void, signal: AbortSignal): Promise<ByteStream> {
    const peer = this.#peer(peerId)
    const signals = [signal, this.#stop.signal]
    const lane = await withDeadline(this.#parts.clock, OPEN_MS, signals, (either) =>
      peer.dialled ? this.#dialToAsk(peer, either) : this.#offer(peer, either)
    )
    lane.onClose(onClose)
    return lane
  }

  /**
   * A lane that `dial` opens, in a thread of its own perhaps: closed and counted like the others.
   * A socket can't be given to it, so this side dials, also where the other one has dialled the
   * connection: most servers reach each other both ways. Throws the same.
   */
  async openBy<Lane extends HeldLane>(
    peerId: string,
    dial: (about: LaneDial, signal: AbortSignal) => Promise<Lane>,
    signal: AbortSignal
  ): Promise<Lane> {
    const peer = this.#peer(peerId)
    const signals = [signal, this.#stop.signal]
    return withDeadline(this.#parts.clock, OPEN_MS, signals, async (either) => {
      const key = await requestGrant(await this.#network.open(peerId, LANE_ID, either), either)
      const lane = await dial({ key, ip: ipOfPeer(peer), meter: this.#meter(peerId) }, either)
      this.#hold(lane, peerId)
      return lane
    })
  }

  async #dialToAsk(peer: ConnectedPeer, signal: AbortSignal): Promise<LaneStream> {
    const key = await requestGrant(await this.#network.open(peer.id, LANE_ID, signal), signal)
    return this.#dial(key, peer, { isAsking: true, signal })
  }

  /** The other side dials: it can reach us where we may not reach it. */
  async #offer(peer: ConnectedPeer, signal: AbortSignal): Promise<LaneStream> {
    const { promise, resolve, reject } = Promise.withResolvers<LaneStream>()
    promise.catch(() => {}) // awaited below, unless the offer itself fails
    const key = this.#keys.give(this.#listening(), {
      peerId: peer.id,
      ip: ipOfPeer(peer),
      onEnd: (socket) => {
        if (socket === undefined) reject(new Error('the peer did not dial the lane'))
        else if (signal.aborted) {
          socket.destroy()
          reject(signal.reason)
        } else resolve(this.#takeIn(socket, peer.id, { isAsking: true }))
      }
    })
    try {
      await requestOffer(await this.#network.open(peer.id, LANE_ID, signal), key, signal)
      return await promise
    } catch (error) {
      // it may be open by now, or soon, and nobody would ever use it
      promise.then(
        (lane) => lane.abort(error as Error),
        () => {}
      )
      throw error
    } finally {
      this.#keys.take(key.identity)
    }
  }

  #grant(from: string): LaneKey {
    const peer = this.#peer(from)
    this.#requireRoom(from)
    return this.#keys.give(this.#listening(), {
      peerId: from,
      ip: ipOfPeer(peer),
      onEnd: (socket) => {
        if (socket === undefined) return
        const lane = this.#takeIn(socket, from, { isAsking: false })
        this.#track(this.#serve(lane, from), from)
      }
    })
  }

  #offered(key: LaneKey, from: string): void {
    const peer = this.#peer(from)
    this.#requireRoom(from)
    this.#dials(from, 1)
    const dialled = withDeadline(this.#parts.clock, OPEN_MS, [this.#stop.signal], (signal) =>
      this.#dial(key, peer, { isAsking: false, signal })
    ).finally(() => this.#dials(from, -1))
    this.#track(
      dialled.then((lane) => this.#serve(lane, from)),
      from
    )
  }

  #dials(peerId: string, more: number): void {
    const count = (this.#dialling.get(peerId) ?? 0) + more
    if (count > 0) this.#dialling.set(peerId, count)
    else this.#dialling.delete(peerId)
  }

  async #dial(
    key: LaneKey,
    peer: ConnectedPeer,
    { isAsking, signal }: { readonly isAsking: boolean; readonly signal: AbortSignal }
  ): Promise<LaneStream> {
    const inbox = new LaneInbox()
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    const callback = (bytes: number) => inbox.put(buffer.subarray(0, bytes))
    const socket = await dialLane(key, ipOfPeer(peer), { buffer, callback }, signal)
    return this.#adopt(socket, peer.id, { isAsking, inbox })
  }

  #takeIn(socket: TLSSocket, peerId: string, use: Pick<LaneUse, 'isAsking'>): LaneStream {
    const inbox = new LaneInbox()
    const lane = this.#adopt(socket, peerId, { ...use, inbox })
    socket.on('data', (bytes) => {
      if (!inbox.put(bytes)) socket.pause()
    })
    return lane
  }

  #adopt(socket: TLSSocket, peerId: string, use: Omit<LaneUse, 'meter' | 'buffers'>): LaneStream {
    const lane = new LaneStream(socket, {
      ...use,
      meter: this.#meter(peerId),
      buffers: this.#buffers
    })
    this.#hold(lane, peerId)
    return lane
  }

  #meter(peerId: string): LaneMeter {
    const { counters } = this.#parts
    return {
      received: (bytes) => counters.received(peerId, bytes),
      sent: (bytes) => counters.sent(peerId, bytes)
    }
  }

  #hold(lane: HeldLane, peerId: string): void {
    const lanes = this.#open.get(peerId) ?? new Set()
    this.#open.set(peerId, lanes.add(lane))
    lane.onClose(() => {
      lanes.delete(lane)
      if (lanes.size === 0 && this.#open.get(peerId) === lanes) this.#open.delete(peerId)
    })
    // the peer may have gone while the lane was being opened
    const isGone = !this.#network.peers().some(({ id }) => id === peerId)
    if (isGone || this.#stop.signal.aborted) lane.abort(new Error('the peer is gone'))
  }

  async #serve(lane: LaneStream, peerId: string): Promise<void> {
    try {
      await this.#use?.serve(lane, peerId)
      await lane.end()
    } catch (error) {
      if (lane.isOpen) this.#parts.counters.fault(peerId, error)
      lane.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }

  #track(work: Promise<void>, peer: string): void {
    const tracked = work
      .catch((error) => {
        if (this.#stop.signal.aborted) return
        this.#parts.log.debug({ peer, err: error }, 'a lane ended')
      })
      .finally(() => this.#working.delete(tracked))
    this.#working.add(tracked)
  }

  #requireRoom(peerId: string): void {
    const count = this.count(peerId) + (this.#dialling.get(peerId) ?? 0)
    if (count < LANES_PER_PEER_MAX) return
    throw new StatusError(STATUS.BUSY, `there are ${LANES_PER_PEER_MAX} lanes already`)
  }

  #listening(): number {
    const { port } = this.#server
    if (port === undefined) throw new StatusError(STATUS.REFUSED, 'this node has no lanes')
    return port
  }

  #peer(peerId: string): ConnectedPeer {
    const peer = this.#network.peers().find(({ id }) => id === peerId)
    if (peer !== undefined) return peer
    throw new StatusError(STATUS.REFUSED, 'the peer is not connected')
  }

  get #network(): LanesUse['network'] {
    if (this.#use === undefined) throw new NodeError('INTERNAL', 'Lanes have no network yet.')
    return this.#use.network
  }
}

/** Where the connection with a peer ends on the other side. */
function ipOfPeer({ address }: ConnectedPeer): string {
  const ip = ipOf(multiaddr(address))
  if (ip === undefined) throw new StatusError(STATUS.REFUSED, 'there is no address to dial')
  return plainIp(ip)
}
