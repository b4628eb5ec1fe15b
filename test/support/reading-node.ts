// A node that reads through to peers in memory.

import type { BlobSource } from '../../protocols/blobs/source.ts'
import { NodeError } from '../../src/base/errors.ts'
import { BlobPeers } from '../../src/blob-sync/blob-peers.ts'
import { WantBook } from '../../src/blob-sync/want-book.ts'
import { openTrusted } from '../../src/flows/read.ts'
import { Replicator } from '../../src/flows/replicate.ts'
import { BlobHolders } from './blob-holders.ts'
import { testBytes } from './data-folder.ts'
import { MemoryBlobSource } from './memory-blob-source.ts'
import { type MemoryNode, openMemoryNode } from './memory-node.ts'

export const LARGE = testBytes(600_000)
export const SMALL = testBytes(5000)

let stop: (() => Promise<void>) | undefined

/** To be called after each test. */
export const endReading = () => stop?.()

export async function beginReading({ fetchAll = false } = {}) {
  const node = await openMemoryNode()
  const { flows } = node
  const { clock, random } = flows
  const network = new BlobHolders()
  const policy = { maxRetryAttempts: 3, retryDelayMs: 1000 }
  const peers = new BlobPeers({ network, clock, random }, policy)
  const book = new WantBook({ clock, random }, policy)
  const replicator = new Replicator(
    { flows, network, peers, book, believes: () => false },
    { batchSize: 10, fetchAll, syncTimeoutMs: 30_000 }
  )
  stop = async () => {
    await replicator.stop()
    await node.close()
  }
  return { node, network, peers, book, replicator, clock: node.clock }
}

export function sourceOf(...blobs: readonly Uint8Array[]): MemoryBlobSource {
  const source = new MemoryBlobSource()
  for (const bytes of blobs) source.add(bytes)
  return source
}

export function same(actual: Uint8Array | undefined, expected: Uint8Array): boolean {
  return actual !== undefined && Buffer.compare(actual, expected) === 0
}

export function isHeld({ flows }: MemoryNode, hash: Parameters<typeof openTrusted>[1]): boolean {
  const blob = openTrusted(flows, hash)
  blob?.close()
  return blob !== undefined
}

/** Nothing that comes can be kept. */
export function fillDisk({ flows }: MemoryNode): void {
  const demand = () => {
    throw new NodeError('DISK_FULL', 'no room')
  }
  Object.assign(flows.room, { demand })
}

export function silentSource(bytes: Uint8Array, afterBytes: number | undefined): BlobSource {
  const source = sourceOf(bytes)
  const open = source.open.bind(source)
  source.open = async (hash) => {
    if (afterBytes === undefined) return new Promise(() => {})
    const blob = await open(hash)
    if (blob === undefined || blob === 'busy') return blob
    return {
      ...blob,
      async *read() {
        yield bytes.subarray(0, afterBytes)
        await new Promise(() => {})
      }
    }
  }
  return source
}
