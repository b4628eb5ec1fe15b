import { afterEach, expect, test } from 'vitest'
import type { BlobSource } from '../../../protocols/blobs/serve.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { BlobPeers } from '../../../src/blob-sync/blob-peers.ts'
import { WantBook } from '../../../src/blob-sync/want-book.ts'
import { openTrusted } from '../../../src/flows/read.ts'
import { Replicator } from '../../../src/flows/replicate.ts'
import { BlobHolders, lyingSource, want } from '../../support/blob-holders.ts'
import { collect, testBytes } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

const LARGE = testBytes(600_000)
const SMALL = testBytes(5000)

let stop: (() => Promise<void>) | undefined
afterEach(() => stop?.())

async function begin({ fetchAll = false } = {}) {
  const node = await openMemoryNode()
  const { flows } = node
  const { clock, random } = flows
  const network = new BlobHolders()
  const peers = new BlobPeers({ network, clock })
  const book = new WantBook({ clock, random }, { maxRetryAttempts: 3, retryDelayMs: 1000 })
  const replicator = new Replicator(
    { flows, network, peers, book, believes: () => false },
    { batchSize: 10, fetchAll, syncTimeoutMs: 30_000 }
  )
  stop = async () => {
    await replicator.stop()
    await node.close()
  }
  return { node, network, peers, replicator, clock: node.clock }
}

function sourceOf(...blobs: readonly Uint8Array[]): MemoryBlobSource {
  const source = new MemoryBlobSource()
  for (const bytes of blobs) source.add(bytes)
  return source
}

function same(actual: Uint8Array | undefined, expected: Uint8Array): boolean {
  return actual !== undefined && Buffer.compare(actual, expected) === 0
}

function isHeld({ flows }: MemoryNode, hash: Parameters<typeof openTrusted>[1]): boolean {
  const blob = openTrusted(flows, hash)
  blob?.close()
  return blob !== undefined
}

test('a hundred readers cause one fetch, and the blob stays', async () => {
  const { node, network, replicator } = await begin()
  network.add('p', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  const bodies = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const opened = await replicator.open(hash)
      const body = await collect(opened?.blob.read(0, LARGE.byteLength))
      opened?.blob.close()
      return opened?.peerId === 'p' && same(body, LARGE)
    })
  )
  expect(bodies.every(Boolean)).toBe(true)
  await eventually(() => expect(isHeld(node, hash)).toBe(true))
  expect(network.streams('p')).toBe(1)
  expect(network.sentBytes('p')).toBeLessThan(LARGE.byteLength + 1000)
  expect(replicator.received()).toEqual({ blobs: 1, bytes: LARGE.byteLength })
  expect(replicator.transfers()).toEqual([])
})

test.each([
  ['small', 150, 400, 1],
  ['large', 12, 300_000, 6]
])(
  'many %s blobs at once are asked of all holders, over few streams',
  async (_, count, size, streamsMax) => {
    const { node, network, replicator } = await begin()
    const blobs = Array.from({ length: count }, (_, n) => testBytes(size + n, n + 1))
    const source = sourceOf(...blobs)
    for (const id of ['p', 'q']) network.add(id, source)
    const hashes = await Promise.all(blobs.map((bytes, n) => want(node, `${n}.png`, bytes)))
    const holders = await Promise.all(hashes.map((hash) => replicator.fetchNow(hash)))
    expect(new Set(holders)).toEqual(new Set(['p', 'q']))
    expect(hashes.every((hash) => isHeld(node, hash))).toBe(true)
    for (const id of ['p', 'q']) expect(network.streams(id)).toBeLessThanOrEqual(streamsMax)
  }
)

test('one who reads nothing keeps nobody back', async () => {
  const { node, network, replicator } = await begin()
  network.add('p', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  const idle = await replicator.open(hash)
  const reading = idle?.blob.read(0, LARGE.byteLength)[Symbol.asyncIterator]()
  await reading?.next()
  await eventually(() => expect(isHeld(node, hash)).toBe(true))
  const rest = await collect(reading && { [Symbol.asyncIterator]: () => reading })
  expect(same(rest.subarray(-1000), LARGE.subarray(-1000))).toBe(true)
  idle?.blob.close()
})

test('the next holder goes on where the first one broke off', async () => {
  const { node, network, replicator, peers, clock } = await begin()
  const fault = { afterBytes: 350_000, from: 'right', how: 'break' } as const
  network.add('breaks', sourceOf(LARGE), [{ fault }])
  network.add('whole', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  const opened = await replicator.open(hash)
  expect(opened?.peerId).toBe('breaks')
  expect(same(await collect(opened?.blob.read(0, LARGE.byteLength)), LARGE)).toBe(true)
  opened?.blob.close()
  expect(network.sentBytes('whole')).toBeLessThan(LARGE.byteLength - 200_000)
  expect(peers.state('breaks').restsUntilMs).toBeGreaterThan(clock.now())
  await eventually(() => expect(isHeld(node, hash)).toBe(true))
})

test('of wrong bytes nobody gets all; the next holder is asked from the start', async () => {
  const { node, network, replicator, peers, clock } = await begin()
  network.add('lies', lyingSource(LARGE, 250_000))
  network.add('honest', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  const opened = await replicator.open(hash)
  let readBytes = 0
  const reading = (async () => {
    for await (const piece of opened?.blob.read(0, LARGE.byteLength) ?? []) {
      readBytes += piece.byteLength
    }
  })()
  await expect(reading).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
  expect(readBytes).toBeLessThan(LARGE.byteLength)
  opened?.blob.close()
  await eventually(() => expect(isHeld(node, hash)).toBe(true))
  expect(peers.state('lies').restsUntilMs).toBeGreaterThan(clock.now())
  expect(network.streams('honest')).toBe(1)
})

test('wrong bytes of one who broke off are not the fault of the next', async () => {
  const { node, network, replicator } = await begin()
  const fault = { afterBytes: 350_000, from: 'right', how: 'break' } as const
  network.add('lies', lyingSource(LARGE, 1000), [{ fault }])
  network.add('honest', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  const opened = await replicator.open(hash)
  await expect(collect(opened?.blob.read(0, LARGE.byteLength))).rejects.toThrow()
  opened?.blob.close()
  await eventually(() => expect(isHeld(node, hash)).toBe(true))
  expect(network.streams('honest')).toBe(2)
})

test.each([SMALL, LARGE])('what nobody has is not to be had (%#)', async (bytes) => {
  const { node, network, replicator } = await begin()
  const hash = await want(node, 'a.png', bytes)
  expect(await replicator.open(hash)).toBeUndefined()
  network.add('p', sourceOf())
  expect(await replicator.open(hash)).toBeUndefined()
  expect(await replicator.fetchNow(hash)).toBeUndefined()
  network.add('late', sourceOf(bytes))
  expect(await replicator.fetchNow(hash)).toBe('late')
  expect(isHeld(node, hash)).toBe(true)
})

test('when nobody can send it to its end, what has come is kept for later', async () => {
  const { node, network, replicator } = await begin()
  const fault = { afterBytes: 350_000, from: 'right', how: 'break' } as const
  network.add('p', sourceOf(LARGE), [{ fault }])
  const hash = await want(node, 'a.png', LARGE)
  const opened = await replicator.open(hash)
  await expect(collect(opened?.blob.read(0, LARGE.byteLength))).rejects.toMatchObject({
    code: 'NOT_AVAILABLE'
  })
  opened?.blob.close()
  expect(node.store.partials()).toEqual([hash])
  network.add('q', sourceOf(LARGE))
  network.remove('p')
  expect(await replicator.fetchNow(hash)).toBe('q')
  expect(network.sentBytes('q')).toBeLessThan(LARGE.byteLength - 200_000)
})

test.each([SMALL, LARGE])(
  'a small blob is whole when it is opened, a large one is not waited for (%#)',
  async (bytes) => {
    const { node, network, replicator } = await begin()
    network.add('p', sourceOf(bytes))
    const hash = await want(node, 'a.png', bytes)
    const opened = await replicator.open(hash)
    expect([opened?.peerId, opened?.blob.bytes]).toEqual(['p', bytes.byteLength])
    expect(opened?.blob.readAll !== undefined).toBe(bytes === SMALL)
    expect(same(await collect(opened?.blob.read(3, 100)), bytes.subarray(3, 100))).toBe(true)
    opened?.blob.close()
  }
)

/** Sends nothing, or stops in the middle. */
function silentSource(bytes: Uint8Array, afterBytes: number | undefined): BlobSource {
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

test.each([
  ['before it answers, while there is another', undefined, 5000],
  ['in the middle of a body', 350_000, 30_000]
])('a holder that falls silent %s is left for the next', async (_, afterBytes, silentMs) => {
  const { node, network, replicator, clock } = await begin()
  network.add('silent', silentSource(LARGE, afterBytes))
  network.add('p', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  const fetching = replicator.fetchNow(hash)
  await eventually(() => expect(network.streams('silent')).toBe(1))
  if (afterBytes !== undefined) {
    await eventually(() => expect(replicator.transfers()[0]?.bytesDone).toBe(afterBytes))
  }
  clock.advance(silentMs - 1)
  for (let n = 0; n < 10; n++) await new Promise(setImmediate)
  expect(network.streams('p')).toBe(0)
  clock.advance(1)
  expect(await fetching).toBe('p')
  expect(network.sentBytes('p')).toBeLessThan(LARGE.byteLength - (afterBytes ?? 0) + 1000)
})

test('with a full disk a small image is passed on, and a large one refused as this node’s fault', async () => {
  const { node, network, replicator } = await begin()
  network.add('p', sourceOf(LARGE, SMALL))
  const [small, large] = [await want(node, 's.png', SMALL), await want(node, 'l.png', LARGE)]
  node.store.fault = new NodeError('DISK_FULL', 'The disk is full.')
  const opened = await replicator.open(small)
  expect(same(await collect(opened?.blob.read(0, SMALL.byteLength)), SMALL)).toBe(true)
  expect(isHeld(node, small)).toBe(false)
  await expect(replicator.open(large)).rejects.toMatchObject({ code: 'DISK_FULL' })
})

test('a reader and replication share what comes', async () => {
  const { node, network, replicator } = await begin({ fetchAll: true })
  const gate = Promise.withResolvers<void>()
  const source = sourceOf(LARGE)
  const open = source.open.bind(source)
  source.open = async (hash) => {
    const blob = await open(hash)
    if (blob === undefined || blob === 'busy') return blob
    return {
      ...blob,
      async *read(start, end) {
        yield LARGE.subarray(start, start + 100_000)
        await gate.promise
        yield LARGE.subarray(start + 100_000, end)
      }
    }
  }
  network.add('p', source)
  const hash = await want(node, 'a.png', LARGE)
  replicator.wake()
  await eventually(() => expect(replicator.transfers()[0]?.bytesDone).toBe(100_000))
  const opened = await replicator.open(hash)
  const reading = collect(opened?.blob.read(0, LARGE.byteLength))
  const fetching = replicator.fetchNow(hash)
  gate.resolve()
  expect(same(await reading, LARGE)).toBe(true)
  expect(await fetching).toBe('p')
  opened?.blob.close()
  expect(network.streams('p')).toBe(1)
  expect(network.sentBytes('p')).toBeLessThan(LARGE.byteLength + 1000)
})

test('a stop ends what is under way', async () => {
  const { node, network, replicator } = await begin()
  network.add('silent', silentSource(LARGE, 350_000))
  const hash = await want(node, 'a.png', LARGE)
  const opened = await replicator.open(hash)
  const reading = collect(opened?.blob.read(0, LARGE.byteLength))
  const failing = expect(reading).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
  await eventually(() => expect(replicator.transfers()[0]?.bytesDone).toBe(350_000))
  await replicator.stop()
  await failing
  opened?.blob.close()
  expect(node.store.partials()).toEqual([hash])
})
