// Large blobs that another thread writes.

import { closeSync, openSync, writeSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { BlobPeers } from '../../../src/blob-sync/blob-peers.ts'
import type { DirectItem, DirectTake } from '../../../src/blob-sync/direct-line.ts'
import { GrowingBlobs } from '../../../src/blob-sync/growing-blob.ts'
import { Transfers } from '../../../src/blob-sync/transfers.ts'
import { WantBook } from '../../../src/blob-sync/want-book.ts'
import { ReplicaKeeper } from '../../../src/flows/keep-replica.ts'
import type { FlowParts } from '../../../src/flows/parts.ts'
import { TakeDirect } from '../../../src/flows/take-direct.ts'
import { TakeIn } from '../../../src/flows/take-in.ts'
import type { DiskBlobs } from '../../../src/store/disk-blobs.ts'
import { BlobHolders, want } from '../../support/blob-holders.ts'
import { makeTestFolder, type TestFolder, testBytes } from '../../support/data-folder.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

const LARGE = testBytes(600_000)
const OTHER = testBytes(400_000, 2)
const never = new AbortController().signal

let node: MemoryNode
let disk: TestFolder
let store: DiskBlobs
let freeBytes: number
let asked: DirectItem[]
let take: TakeDirect
let keeper: ReplicaKeeper
beforeEach(async () => {
  node = await openMemoryNode()
  disk = await makeTestFolder()
  store = disk.store()
  asked = []
  const room: FlowParts['room'] = {
    ...node.flows.room,
    take(bytes) {
      if (bytes > freeBytes) throw new NodeError('DISK_FULL', 'no room')
      freeBytes -= bytes
    }
  }
  const flows: FlowParts = { ...node.flows, store, room }
  const { clock, random } = flows
  const peers = new BlobPeers({ network: new BlobHolders(), clock, random }, { retryDelayMs: 1000 })
  // stands for the other thread
  peers.direct.fetch = async (_peer, items, direct) => {
    for (const item of items) writeOut(item, direct)
  }
  const book = new WantBook({ clock, random }, { maxRetryAttempts: 3, retryDelayMs: 1000 })
  keeper = new ReplicaKeeper({ flows, book })
  const growing = new GrowingBlobs({ store, signal: never })
  const parts = { flows, peers, growing, keeper, transfers: new Transfers(clock) }
  take = new TakeDirect(parts, new TakeIn(parts))
})
afterEach(async () => {
  await keeper.idle()
  await node.close()
  disk.remove()
})

function writeOut(item: DirectItem, direct: DirectTake): void {
  const { hash, offset, bytes, partial = '' } = item
  asked.push(item)
  const all = bytes === LARGE.byteLength ? LARGE : OTHER
  const fd = openSync(partial, 'r+')
  writeSync(fd, all, offset, bytes - offset, offset)
  closeSync(fd)
  direct.grown(hash, bytes, 0)
  direct.whole(hash, true)
}

async function fetch(...hashes: readonly (readonly [ContentHash, number])[]): Promise<string[]> {
  const ended: string[] = []
  const end = (hash: string) => ended.push(hash)
  const results = { close() {}, lacking() {}, passed() {}, end, isElsewhere: () => false }
  const blobs = hashes.map(([hash, bytes]) => ({ hash, bytes }))
  await take.fetch('p', blobs, results).finally(() => keeper.idle())
  return ended
}

async function begin(hash: ContentHash, bytesDone: number): Promise<void> {
  const partial = await store.openPartial(hash, LARGE.byteLength)
  await partial.append([LARGE.subarray(0, bytesDone)])
  partial.close()
}

test('what is gone on with needs room for what is lacking of it, and no more', async () => {
  const hash = await want(node, 'a.png', LARGE)
  await begin(hash, 500_000)
  freeBytes = 100_000
  expect(await fetch([hash, LARGE.byteLength])).toEqual([hash])
  expect(asked.map(({ offset }) => offset)).toEqual([500_000])
  expect([node.flows.index.blob(hash)?.state, freeBytes]).toEqual(['held', 0])
})

test('a blob that has no room keeps none of the others of its request back', async () => {
  const [large, other] = [await want(node, 'a.png', LARGE), await want(node, 'b.png', OTHER)]
  await begin(large, 100_000)
  freeBytes = 450_000
  const fetching = fetch([large, LARGE.byteLength], [other, OTHER.byteLength])
  await expect(fetching).rejects.toMatchObject({ code: 'DISK_FULL' })
  const states = [large, other].map((hash) => node.flows.index.blob(hash)?.state)
  expect([states, store.partials()]).toEqual([['wanted', 'held'], [large]])
})
