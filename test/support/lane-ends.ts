// Both ends of lanes on 127.0.0.1: a server of lanes alone, and two nodes that open them to each
// other over a network in memory.

import { connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { LaneKey } from '../../protocols/lane/key.ts'
import { type Clock, systemClock, systemRandom } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { CounterTable } from '../../src/network/counters.ts'
import { LaneKeys } from '../../src/network/lane-keys.ts'
import { LaneServer } from '../../src/network/lane-tls.ts'
import { Lanes } from '../../src/network/lanes.ts'
import type { ConnectedPeer, ProtocolHandler } from '../../src/network/network.ts'
import { eventually } from './eventually.ts'
import { streamPair } from './stream-pair.ts'

const HERE = '127.0.0.1'

/** A server of lanes, and what came of the keys that it gave. */
export class LaneEnd {
  readonly keys: LaneKeys
  readonly server: LaneServer
  readonly opened: (TLSSocket | undefined)[] = []

  constructor(clock: Clock = systemClock) {
    this.keys = new LaneKeys({ clock, random: systemRandom })
    this.server = new LaneServer(this.keys)
  }

  async listen(): Promise<this> {
    await this.server.listen(HERE, 0)
    return this
  }

  get port(): number {
    return this.server.port as number
  }

  give({ ip = HERE, peerId = 'peer' } = {}): LaneKey {
    const onEnd = (lane: TLSSocket | undefined) => {
      this.opened.push(lane)
      lane?.on('error', () => lane.destroy()).on('end', () => lane.destroy())
      lane?.resume()
    }
    return this.keys.give(this.port, { peerId, ip, onEnd })
  }

  /** Resolves when no socket is open. */
  isEmpty(): Promise<void> {
    return eventually(() => {
      const open = this.server.connections()
      if (open > 0) throw new Error(`${open} sockets are open`)
    })
  }

  /** A plain connection; it is closed by whoever has it. */
  dialPlain(): Socket {
    return connect(this.port, HERE).on('error', () => {})
  }
}

/** Two nodes that are connected: `a` dialled `b`. */
export class LanePair {
  readonly a: LaneNode
  readonly b: LaneNode

  constructor(serve: (stream: ByteStream, peerId: string) => Promise<void>) {
    this.a = new LaneNode('a', serve)
    this.b = new LaneNode('b', serve)
    this.a.meet(this.b, true)
    this.b.meet(this.a, false)
  }

  async start(): Promise<this> {
    await Promise.all([this.a.lanes.start(), this.b.lanes.start()])
    return this
  }

  async stop(): Promise<void> {
    await Promise.all([this.a.lanes.stop(), this.b.lanes.stop()])
  }
}

export class LaneNode {
  readonly lanes: Lanes
  readonly counters = new CounterTable()
  readonly #id: string
  #handler: ProtocolHandler | undefined
  #other: LaneNode | undefined
  #peers: ConnectedPeer[] = []
  #tell: (peer: ConnectedPeer, event: 'up' | 'down') => void = () => {}
  /** What becomes of a stream to the other one. */
  wrap = (stream: ByteStream): ByteStream => stream

  constructor(id: string, serve: (stream: ByteStream, peerId: string) => Promise<void>) {
    this.#id = id
    const base = { clock: systemClock, random: systemRandom, log: silentLog }
    this.lanes = new Lanes({ ...base, counters: this.counters }, { host: HERE, port: undefined })
    this.lanes.use({
      serve,
      network: {
        handle: (handler) => {
          this.#handler = handler
        },
        open: async () => {
          const { left, right } = streamPair()
          const other = this.#other as LaneNode
          const serving = other.#handler?.serve(right, other.#peers[0] as ConnectedPeer)
          serving?.catch((error) => right.abort(error))
          return this.wrap(left)
        },
        onPeer: (listener) => {
          this.#tell = listener
          return () => {}
        },
        peers: () => this.#peers
      }
    })
  }

  meet(other: LaneNode, dialled: boolean): void {
    this.#other = other
    this.#peers = [{ id: other.#id, address: `/ip4/${HERE}/tcp/1`, dialled, sinceMs: 0 }]
  }

  /** A stream on which the other one asks this node for a lane, or offers one. */
  asked(): ByteStream {
    const { left, right } = streamPair()
    const serving = this.#handler?.serve(right, this.#peers[0] as ConnectedPeer)
    serving?.catch((error) => right.abort(error))
    return left
  }

  /** The connection with the other one is gone. */
  part(): void {
    const [peer] = this.#peers
    this.#peers = []
    if (peer !== undefined) this.#tell(peer, 'down')
  }
}
