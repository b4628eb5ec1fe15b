// Two nodes with one identity, of which one runs on a copy of the other's folder: a peer with two
// connections.

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import type { DirectItem, DirectTake } from '../../../src/blob-sync/direct-line.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { tinyImage } from '../../support/memory-node.ts'
import { openReplication } from '../../support/replication.ts'

const LARGE = testBytes(600_000)

let setUp: Awaited<ReturnType<typeof openReplication>>
let source: MemoryBlobSource
let twin: MemoryBlobSource
beforeEach(async () => {
  setUp = await openReplication()
  source = new MemoryBlobSource()
  twin = new MemoryBlobSource()
  setUp.network.add('p', source)
  setUp.network.addTwin('p', twin)
})
afterEach(() => setUp.close())

const held = (...hashes: readonly ContentHash[]) =>
  eventually(() => {
    const { index } = setUp.node.flows
    expect(hashes.map((hash) => index.blob(hash)?.state)).toEqual(hashes.map(() => 'held'))
  })

test('the bytes of both come, small ones and large ones', async () => {
  const { node, replicator } = setUp
  const own = [tinyImage(1), testBytes(500_000, 3)]
  const others = [tinyImage(2), LARGE]
  for (const bytes of own) source.add(bytes)
  for (const bytes of others) twin.add(bytes)
  const hashes: ContentHash[] = []
  for (const [n, bytes] of [...own, ...others].entries()) {
    hashes.push(await want(node, `${n}.png`, bytes))
  }
  replicator.wake()
  await held(...hashes)
})

test.each([
  ['small', tinyImage(1)],
  ['large', LARGE]
])('a reader gets a %s one', async (_, bytes) => {
  const { node, replicator } = setUp
  twin.add(bytes)
  const hash = await want(node, 'a.png', bytes)
  expect(await replicator.fetchNow(hash)).toBe('p')
  await held(hash)
})

test('what neither has is said to be lacking once, and tried again in its time', async () => {
  const { node, replicator, book, network } = setUp
  const hash = await want(node, 'a.png', tinyImage(1))
  replicator.wake()
  await eventually(() => expect(book.note(hash)?.cause).toBe('nobody'))
  expect(book.note(hash)?.attempts).toBe(1)
  // the usual stream, and one over each connection
  expect(network.streams('p')).toBe(3)
})

test('what a direct line does not bring is asked for on the other connection', async () => {
  const { node, replicator, peers } = setUp
  const hashes: ContentHash[] = []
  for (let n = 0; n < 80; n++) {
    const bytes = tinyImage(n)
    if (n < 79) twin.add(bytes)
    hashes.push(await want(node, `${n}.png`, bytes))
  }
  // stands for the other thread, whose line leads to the first node
  peers.direct.seek = async () => {}
  peers.direct.has = () => true
  peers.direct.fetch = async (_peer, items: readonly DirectItem[], direct: DirectTake) => {
    for (const { hash } of items) direct.lacking(hash)
  }
  replicator.wake()
  await held(...hashes.slice(0, 79))
  await eventually(() => expect(peers.state('p').owedBytes).toBe(0))
  expect(setUp.book.note(hashes[79] as ContentHash)?.cause).toBe('nobody')
})
