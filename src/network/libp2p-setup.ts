// How libp2p is put together: TCP, Noise with a prologue, Yamux, and limits on everything that
// others can make it do.

import { type NoiseComponents, noise } from '@chainsafe/libp2p-noise'
import { type Identify, identify } from '@libp2p/identify'
import type {
  ConnectionEncrypter,
  ConnectionGater,
  Metrics,
  PrivateKey,
  Upgrader
} from '@libp2p/interface'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { PRODUCT_VERSION } from '../base/product-version.ts'
import type { Door } from './admission.ts'
import { LocalSearch } from './discovery.ts'

/** libp2p gives up a stream whose reader pauses when 4 MiB wait; a window must be smaller. */
const STREAM_WINDOW_BYTES = 2 ** 20
const STREAMS_PER_CONNECTION_MAX = 256
const CONNECTIONS_MAX = 300
/** New connections a second from one host: several nodes may share one address. */
const INBOUND_PER_SECOND_MAX = 50
/** Handshakes under way; each costs little, and strangers must not keep members out. */
const INBOUND_PENDING_MAX = 100
const HANDSHAKE_MS = 5_000
/** Of each address, of which a node can have many that lead nowhere. */
const ADDRESS_MS = 4_000
/** The liveness check, the proof of a new connection, and one of each that has not ended yet. */
const PING_STREAMS_MAX = 4

export type Services = {
  readonly identify: Identify
  readonly ping: Ping
  readonly search: LocalSearch
}

export interface SetupOptions {
  readonly privateKey: PrivateKey
  readonly listen: readonly string[]
  readonly gater: ConnectionGater
  readonly metrics: Metrics
  readonly doors: readonly Door[]
  /** Orders the addresses of one peer before they are dialled. */
  compareAddresses(a: Multiaddr, b: Multiaddr): -1 | 0 | 1
}

export interface CreatedNode {
  /** Not started yet. */
  readonly libp2p: Libp2p<Services>
  /** Only these let anybody in from now on. */
  readonly setDoors: (doors: readonly Door[]) => void
}

export async function createNode(options: SetupOptions): Promise<CreatedNode> {
  const noises = new Noises()
  const libp2p = await createWith(options, noises)
  return { libp2p, setDoors: (doors) => noises.set(doors) }
}

function createWith(options: SetupOptions, noises: Noises): Promise<Libp2p<Services>> {
  const pings = { maxInboundStreams: PING_STREAMS_MAX, maxOutboundStreams: PING_STREAMS_MAX }
  return createLibp2p<Services>({
    start: false,
    metrics: () => options.metrics,
    privateKey: options.privateKey,
    nodeInfo: { name: 'tumesh', version: PRODUCT_VERSION, userAgent: `tumesh/${PRODUCT_VERSION}` },
    addresses: { listen: [...options.listen] },
    transports: [tcp()],
    connectionEncrypters: options.doors.map((door) => noises.of(door)),
    streamMuxers: [
      yamux({
        streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES },
        maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
        maxOutboundStreams: STREAMS_PER_CONNECTION_MAX
      })
    ],
    connectionGater: options.gater,
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_PER_SECOND_MAX,
      maxIncomingPendingConnections: INBOUND_PENDING_MAX,
      inboundUpgradeTimeout: HANDSHAKE_MS,
      addressDialTimeout: ADDRESS_MS,
      addressSorter: (a, b) => options.compareAddresses(a.multiaddr, b.multiaddr)
    },
    // it gives up a connection whose ping waits behind bulk bytes
    connectionMonitor: { enabled: false },
    services: {
      identify: identify(),
      ping: ping(pings),
      search: (components) => new LocalSearch(components)
    }
  })
}

/** Noise with a prologue for each door; the doors can change while the node runs. */
class Noises {
  #components: NoiseComponents | undefined

  of({ protocol, prologue }: Door) {
    return (components: NoiseComponents): ConnectionEncrypter => {
      this.#components = components
      const made = noise({ prologueBytes: prologue })(components)
      return {
        protocol,
        secureInbound: (connection, options) => made.secureInbound(connection, options),
        secureOutbound: (connection, options) => made.secureOutbound(connection, options)
      }
    }
  }

  /** A dial asks for the protocols in the order of the map. */
  set(doors: readonly Door[]): void {
    const components = this.#components as NoiseComponents & { readonly upgrader: Upgrader }
    const encrypters = components.upgrader.getConnectionEncrypters()
    encrypters.clear()
    for (const door of doors) encrypters.set(door.protocol, this.of(door)(components))
  }
}
