// The part of a node that meets others: network, index sync and replication, put together.

import { blobsProtocol } from '../../protocols/blobs/serve.ts'
import { KIND_RECORD } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { type Loop, startLoop } from '../base/loop.ts'
import { BlobPeers } from '../blob-sync/blob-peers.ts'
import { WantBook } from '../blob-sync/want-book.ts'
import { announceSelf } from '../flows/members.ts'
import type { FileSyncOptions } from '../flows/options.ts'
import type { FlowParts } from '../flows/parts.ts'
import { type ReplicateOptions, Replicator } from '../flows/replicate.ts'
import { createBlobSource } from '../flows/serve-blobs.ts'
import type { ServerStatus } from '../flows/status.ts'
import { IndexSync, type PeerReport } from '../index-sync/index-sync.ts'
import type { ConnectedPeer, Network } from '../network/network.ts'
import { type Redial, startRedial } from '../network/redial.ts'
import { createFollower } from './follower.ts'
import { createGreetings, type GreetingParts } from './greetings.ts'
import { createMemberList } from './member-list.ts'
import { serverOf } from './server-list.ts'
import { wantsOf } from './wants-of.ts'

export interface MeshParts extends GreetingParts {
  /** Hears that the network listens. */
  readonly onListen: () => Promise<void>
}

export interface MeshOptions extends Pick<ReplicateOptions, 'fetchAll' | 'syncTimeoutMs'> {
  readonly sync: FileSyncOptions
  /** Addresses of nodes to meet. */
  readonly bootstrap: readonly string[]
}

export interface Mesh {
  start(): Promise<void>
  stop(): Promise<void>
  /** Fetches a blob now, for who waits for it; the name of the server that gave it. */
  fetch(hash: ContentHash): Promise<string | undefined>
  /** Compares with all peers and tries every want, whatever its back-off. */
  syncNow(): Promise<void>
  addresses(): readonly string[]
  servers(): readonly ServerStatus[]
  /** Connects to a server and remembers it. Errors: PEER_UNREACHABLE, SAME_NODE. */
  meet(address: string, signal: AbortSignal): Promise<ConnectedPeer>
}

export function createMesh(parts: MeshParts, options: MeshOptions): Mesh {
  const { network, flows } = parts
  const { index, clock, random, log } = flows
  const { sync } = options
  const reports = new Map<string, PeerReport>()
  const loops: Loop[] = []
  const greetings = createGreetings(parts)
  const follower = createFollower(flows)
  const members = createMemberList(flows, network.id, options.bootstrap)
  const peers = new BlobPeers({ network, clock })
  const book = new WantBook({ clock, random }, sync)
  const believes = (peerId: string) => reports.get(peerId)?.equal === true
  const replicator = new Replicator(
    { flows, network, peers, book, believes },
    { ...options, batchSize: sync.batchSize }
  )
  const indexSync = new IndexSync({
    ...{ network, index, clock, random, log },
    wants: () => wantsOf(index),
    onMerged: (entries) => {
      follower.follow()
      if (entries.some(({ kind }) => kind === KIND_RECORD)) void members.refresh()
      replicator.wake()
    },
    onStatus: (peerId, report) => reports.set(peerId, report)
  })
  let redial: Redial | undefined
  serveBlobs(network, flows)
  network.onPeer((peer, event) => {
    if (event === 'down') return peers.drop(peer.id)
    book.retryAll()
    replicator.wake()
    if (peer.dialled) void greetings.greet(peer)
  })

  return {
    async start() {
      await network.start()
      await parts.onListen()
      const addresses = network.addresses()
      await announceSelf(index, { id: network.id, name: flows.name, addresses })
      await members.refresh()
      redial = startRedial({ clock, random, log, network, remembered: members.remembered })
      const every = { name: 'compare', firstMs: sync.syncIntervalMs, everyMs: sync.syncIntervalMs }
      loops.push(startLoop({ clock, log }, every, () => indexSync.compareOne()))
      replicator.wake()
    },
    async stop() {
      greetings.stop()
      await redial?.stop()
      await Promise.all(loops.map((loop) => loop.stop()))
      await Promise.all([indexSync.stop(), replicator.stop()])
      await network.stop()
      await follower.idle()
    },
    async fetch(hash) {
      const peerId = await replicator.fetchNow(hash)
      return peerId && (greetings.heard(peerId)?.name ?? peerId)
    },
    meet: (address, signal) => network.dial([address], signal),
    async syncNow() {
      book.retryAll()
      await indexSync.compareAll()
      replicator.wake()
    },
    addresses: () => network.addresses(),
    servers: () =>
      network.peers().map((peer) => serverOf(peer, greetings.heard(peer.id), reports.get(peer.id)))
  }
}

function serveBlobs(network: Network, flows: FlowParts): void {
  const source = createBlobSource(flows)
  network.handle({
    id: blobsProtocol.id,
    streamsMax: blobsProtocol.limits.streamsMax,
    serve: (stream, { id }) => blobsProtocol.serve(stream, source, id)
  })
}
