// A node in memory that takes blobs from peers in memory.

import { KNOWN_PACKINGS } from '../../protocols/blobs/packing.ts'
import { BlobPeers } from '../../src/blob-sync/blob-peers.ts'
import { WantBook } from '../../src/blob-sync/want-book.ts'
import { type ReplicateOptions, Replicator } from '../../src/flows/replicate.ts'
import { BlobHolders } from './blob-holders.ts'
import { openMemoryNode } from './memory-node.ts'

/** It takes packed blobs where peers pack. `believes`: whether all say that they have all. */
export async function openReplication({
  believes = false,
  ...some
}: { believes?: boolean } & Partial<ReplicateOptions> = {}) {
  const node = await openMemoryNode()
  const { flows, clock } = node
  const network = new BlobHolders()
  const { random } = flows
  const packing = { unpacking: { packings: KNOWN_PACKINGS } }
  const policy = { maxRetryAttempts: 3, retryDelayMs: 1000 }
  const peers = new BlobPeers({ network, clock, random, packing }, policy)
  const book = new WantBook({ clock, random }, policy)
  const parts = { flows, network, peers, book, believes: () => believes }
  const options = { batchSize: 10, fetchAll: true, syncTimeoutMs: 30_000, ...some }
  const replicator = new Replicator(parts, options)
  const close = async () => {
    await replicator.stop()
    await node.close()
  }
  return { node, network, peers, book, replicator, clock, close }
}
