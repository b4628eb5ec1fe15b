import { afterEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { lyingSource, want } from '../../support/blob-holders.ts'
import { collect, testBytes } from '../../support/data-folder.ts'
import { sha256 } from '../../support/digests.ts'
import { eventually } from '../../support/eventually.ts'
import type { MemoryNode } from '../../support/memory-node.ts'
import {
  beginReading,
  endReading,
  isHeld,
  LARGE,
  SMALL,
  same,
  silentSource,
  sourceOf
} from '../../support/reading-node.ts'

afterEach(endReading)

/** Nothing can be kept here, as is known before, or found out by trying. */
const UNKEPT: Readonly<Record<string, (node: MemoryNode) => unknown>> = {
  'the disk is full': ({ flows }) => {
    Object.assign(flows.room, { demand: full, take: full })
  },
  'the disk proves to be full': ({ flows }) => Object.assign(flows.room, { take: full }),
  'the disk has failed': ({ store }) => {
    store.fault = new NodeError('DISK_FAULT', 'The disk failed.')
  },
  'the disk is not there': ({ store }) => {
    store.isPresent = false
  },
  'the disk is in doubt': async ({ flows }) => {
    const hashes = Array.from({ length: 100 }, (_, n) => sha256(testBytes(n)) as ContentHash)
    for (const hash of hashes) await flows.brakes.lose(hash)
    expect(flows.brakes.engaged('loss')).toBeDefined()
  }
}
const full = () => {
  throw new NodeError('DISK_FULL', 'The disk is full.')
}

test.each(Object.entries(UNKEPT))('where %s images are passed on whole', async (_, prevent) => {
  const { node, network, replicator } = await beginReading()
  network.add('p', sourceOf(LARGE, SMALL))
  const [small, large] = [await want(node, 's.png', SMALL), await want(node, 'l.png', LARGE)]
  await prevent(node)
  for (const [hash, bytes] of [[small, SMALL] as const, [large, LARGE] as const]) {
    const opened = await replicator.open(hash)
    expect(opened?.peerId).toBe('p')
    expect(same(await collect(opened?.blob.read(0, bytes.byteLength)), bytes)).toBe(true)
    const ends = [
      opened?.blob.read(0, 1),
      opened?.blob.read(bytes.byteLength - 3000, bytes.byteLength)
    ]
    const [first, last] = await Promise.all(ends.map(collect))
    expect(same(first, bytes.subarray(0, 1)) && same(last, bytes.subarray(-3000))).toBe(true)
    opened?.blob.close()
    expect(isHeld(node, hash)).toBe(false)
  }
  expect(replicator.transfers()).toEqual([])
})

test('what is passed on comes from the next holder when one breaks off', async () => {
  const { node, network, replicator } = await beginReading()
  network.add('short', sourceOf(LARGE), [
    { fault: { afterBytes: 300_000, from: 'right', how: 'break' } }
  ])
  network.add('p', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  Object.assign(node.flows.room, { demand: full, take: full })
  const opened = await replicator.open(hash)
  expect(same(await collect(opened?.blob.read(0, LARGE.byteLength)), LARGE)).toBe(true)
  expect(network.sentBytes('p')).toBeLessThan(LARGE.byteLength)
})

/** The disk takes so many bytes of what comes, and no more. */
function fillsAfter({ flows }: MemoryNode, bytesMax: number): void {
  const { store } = flows
  const open = store.openPartial.bind(store)
  store.openPartial = async (...wanted) => {
    const partial = await open(...wanted)
    const append = partial.append.bind(partial)
    partial.append = async (pieces) => {
      const bytes = pieces.reduce((sum, { byteLength }) => sum + byteLength, partial.bytesDone)
      if (bytes > bytesMax) full()
      await append(pieces)
    }
    return partial
  }
}

test.each([
  ['all of it', 0, LARGE.byteLength],
  ['a part', 1000, LARGE.byteLength - 5]
])('a reader of %s goes on when the disk fills amid what comes', async (_, start, end) => {
  const { node, network, replicator } = await beginReading()
  network.add('p', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  fillsAfter(node, 300_000)
  const opened = await replicator.open(hash)
  expect(same(await collect(opened?.blob.read(start, end)), LARGE.subarray(start, end))).toBe(true)
  opened?.blob.close()
  expect(isHeld(node, hash)).toBe(false)
})

test('but not where its beginning was another', async () => {
  const { node, network, replicator } = await beginReading()
  network.add('lies', lyingSource(LARGE, 10), [
    { fault: { afterBytes: 250_000, from: 'right', how: 'break' } }
  ])
  network.add('p', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  fillsAfter(node, 300_000)
  const opened = await replicator.open(hash)
  const reading = collect(opened?.blob.read(0, LARGE.byteLength))
  await expect(reading).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
})

test.each([0, 599_999])('no end of what is passed on is given if byte %i is wrong', async (at) => {
  const { node, network, replicator } = await beginReading()
  network.add('liar', lyingSource(LARGE, at))
  const hash = await want(node, 'a.png', LARGE)
  Object.assign(node.flows.room, { demand: full, take: full })
  for (const end of [LARGE.byteLength, 1000]) {
    const opened = await replicator.open(hash)
    let given = 0
    const reading = (async () => {
      for await (const piece of opened?.blob.read(0, end) ?? []) given += piece.byteLength
    })()
    await expect(reading).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
    expect(given).toBeLessThan(end)
  }
})

test('what nobody sends is not passed on, and a reader who goes ends what is', async () => {
  const { node, network, replicator } = await beginReading()
  const hash = await want(node, 'a.png', LARGE)
  Object.assign(node.flows.room, { demand: full, take: full })
  expect(await replicator.open(hash)).toBeUndefined()
  network.add('silent', silentSource(LARGE, 350_000))
  const opened = await replicator.open(hash)
  const reading = collect(opened?.blob.read(0, LARGE.byteLength))
  await eventually(() => expect(replicator.transfers()[0]?.bytesDone).toBe(350_000))
  opened?.blob.close()
  expect((await reading).byteLength).toBeLessThan(LARGE.byteLength)
})

test('readers who leave in the middle keep no peer busy, and cause no further requests', async () => {
  const { node, network, peers, replicator } = await beginReading()
  network.add('p', sourceOf(LARGE))
  network.add('q', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  Object.assign(node.flows.room, { demand: full, take: full })
  const owed = () => peers.state('p').owedBytes + peers.state('q').owedBytes
  for (let reader = 1; reader <= 20; reader++) {
    const opened = await replicator.open(hash)
    for await (const _ of opened?.blob.read(0, LARGE.byteLength) ?? []) break
    opened?.blob.close()
    await eventually(() => expect(owed()).toBe(0))
    expect(network.streams('p') + network.streams('q')).toBe(reader)
  }
  expect(replicator.transfers()).toEqual([])
})
