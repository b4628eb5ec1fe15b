import { hash as digest } from 'node:crypto'
import { expect, test } from 'vitest'
import type { BlobAnswer } from '../../../protocols/blobs/request.ts'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { STATUS } from '../../../protocols/status.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { BlobPeers } from '../../../src/blob-sync/blob-peers.ts'
import { WantBook } from '../../../src/blob-sync/want-book.ts'
import { Replicator } from '../../../src/flows/replicate.ts'
import { BlobHolders, lyingSource, want } from '../../support/blob-holders.ts'
import { streamOf, testBytes } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { openMemoryNode, tinyImage } from '../../support/memory-node.ts'
import { MICROTASKS, microtasks, settled } from '../../support/microtasks.ts'
import { openReplication } from '../../support/replication.ts'

const hashOf = (bytes: Uint8Array) => digest('sha256', bytes) as ContentHash

test('an old image arrives although a thousand newer ones are nowhere to be had', async () => {
  const { flows, close } = await openMemoryNode()
  const { index, clock, random } = flows
  const images = Array.from({ length: 1200 }, (_, n) => tinyImage(n))
  await index.change((tx) => {
    for (const [n, bytes] of images.entries()) {
      const path = parsePath(`${n}.svg`)
      const about = { bytes: bytes.length, mediaType: 'image/svg+xml', createdMs: 1 }
      tx.putImage({ path, hash: hashOf(bytes), md5: digest('md5', bytes) as Md5, ...about })
    }
  })
  const [oldest] = images as [Buffer, ...Buffer[]]
  const fetch = async (
    _peer: string,
    items: readonly { hash: ContentHash; offset: number }[],
    onBlob: (answer: BlobAnswer) => Promise<void>
  ) => {
    for (const item of items) {
      const has = item.hash === hashOf(oldest)
      const body = (async function* () {
        if (has) yield oldest
      })()
      const status = has ? STATUS.OK : STATUS.MISSING
      const length = has ? oldest.length : 0
      await onBlob({ ...item, status, length, body, whole: async () => oldest })
    }
  }
  const peer = { id: 'p', address: '/memory/p', dialled: true, sinceMs: 0 }
  const open = () => Promise.reject(new Error('not in this test'))
  const network = { peers: () => [peer], open }
  class Peers extends BlobPeers {
    override fetch = fetch
  }
  const policy = { maxRetryAttempts: 3, retryDelayMs: 1e6 }
  const replicator = new Replicator(
    {
      flows,
      network,
      peers: new Peers({ network, clock, random }, policy),
      book: new WantBook({ clock, random }, policy),
      believes: () => false
    },
    { batchSize: 10, fetchAll: true, syncTimeoutMs: 1000 }
  )
  replicator.wake()
  await eventually(() => expect(index.blob(hashOf(oldest))?.state).toBe('held'))
  await replicator.stop()
  await close()
})

test('what has just come to be is fetched before anything else is looked at', async () => {
  const { flows, close } = await openMemoryNode()
  const { index, clock, random } = flows
  const bytes = tinyImage(1)
  const network = new BlobHolders()
  const source = new MemoryBlobSource()
  network.add('p', source)
  const hash = source.add(bytes)
  const policy = { maxRetryAttempts: 3, retryDelayMs: 1000 }
  const book = new WantBook({ clock, random }, policy)
  const replicator = new Replicator(
    {
      flows,
      network,
      peers: new BlobPeers({ network, clock, random }, policy),
      book,
      believes: () => true
    },
    { batchSize: 10, fetchAll: true, syncTimeoutMs: 1000 }
  )
  const about = { md5: digest('md5', bytes) as Md5, bytes: bytes.length, mediaType: 'x' }
  await index.change((tx) => {
    tx.putImage({ path: parsePath('a.svg'), hash, createdMs: 1, ...about })
  })
  const unknown = hashOf(tinyImage(2))
  replicator.came([unknown, hash])
  expect([...replicator.inFlight.keys()]).toEqual([hash])
  await eventually(() => expect(index.blob(hash)?.state).toBe('held'))
  replicator.came([hash])
  expect([replicator.inFlight.size, network.streams('p')]).toEqual([0, 1])
  await replicator.stop()
  await close()
})

const LARGE = testBytes(600_000)

function sourceOf(bytes: Uint8Array): MemoryBlobSource {
  const source = new MemoryBlobSource()
  source.add(bytes)
  return source
}

const BREAK = { fault: { afterBytes: 350_000, from: 'right', how: 'break' } } as const

test('what broke off in bulk is gone on with at once, by another peer', async () => {
  const { node, network, peers, book, replicator, clock, close } = await openReplication()
  network.add('breaks', sourceOf(LARGE), [BREAK])
  network.add('whole', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  replicator.wake()
  await eventually(() => expect(node.flows.index.blob(hash)?.state).toBe('held'))
  expect(network.sentBytes('whole')).toBeLessThan(LARGE.byteLength - 200_000)
  expect(peers.state('breaks').restsUntilMs).toBeGreaterThan(clock.now())
  expect(book.note(hash)).toBeUndefined()
  expect(node.store.partials()).toEqual([])
  await close()
})

test('where there is no other, the same one is asked again for the rest', async () => {
  const { node, network, book, replicator, clock, close } = await openReplication()
  network.add('p', sourceOf(LARGE), [BREAK, {}])
  const hash = await want(node, 'a.png', LARGE)
  replicator.wake()
  await eventually(() => expect(book.note(hash)?.attempts).toBe(1))
  expect(node.store.partials()).toEqual([hash])
  await eventually(() => {
    clock.advance(500)
    expect(node.flows.index.blob(hash)?.state).toBe('held')
  })
  expect(network.sentBytes('p')).toBeLessThan(LARGE.byteLength + 150_000)
  await close()
})

test('a peer from which nothing comes any more has failed, and another is asked', async () => {
  const { node, network, peers, replicator, clock, close } = await openReplication()
  const source = sourceOf(LARGE)
  source.open = () => new Promise(() => {})
  network.add('silent', source)
  network.add('p', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  replicator.wake()
  await eventually(() => expect(network.streams('silent')).toBe(1))
  for (let n = 0; n < 10; n++) await new Promise(setImmediate)
  clock.advance(29_999)
  expect([network.streams('p'), peers.state('silent').restsUntilMs]).toEqual([0, 0])
  clock.advance(1)
  await eventually(() => expect(node.flows.index.blob(hash)?.state).toBe('held'))
  expect(peers.state('silent').restsUntilMs).toBeGreaterThan(clock.now())
  expect(peers.state('silent').owedBytes).toBe(0)
  await close()
})

test('holders fill a node together: a slow one gets less, then rests, and its share moves', async () => {
  const { node, network, peers, replicator, clock, close } = await openReplication()
  const images = Array.from({ length: 60 }, (_, n) => {
    const bytes = testBytes(200_000)
    bytes[0] = n
    return bytes
  })
  const asked = { slow: 0, fast: 0 }
  for (const name of ['slow', 'fast'] as const) {
    const source = new MemoryBlobSource()
    for (const bytes of images) source.add(bytes)
    const open = source.open.bind(source)
    source.open = (hash) => {
      asked[name]++
      return name === 'slow' ? new Promise(() => {}) : open(hash)
    }
    network.add(name, source)
  }
  const hashes: ContentHash[] = []
  for (const [n, bytes] of images.entries()) hashes.push(await want(node, `${n}.png`, bytes))
  const held = () => hashes.filter((hash) => node.flows.index.blob(hash)?.state === 'held')
  replicator.wake()
  // 4 MiB are what a peer owes of which nothing has come
  await eventually(() => expect(held()).toHaveLength(60 - 21))
  expect(peers.state('slow').owedBytes).toBe(21 * 200_000)
  clock.advance(30_000)
  await eventually(() => expect(held()).toHaveLength(60))
  expect(peers.state('slow').restsUntilMs).toBeGreaterThan(clock.monotonicMs())
  expect([asked.slow, asked.fast]).toEqual([1, 60])
  await close()
})

test('a long catch-up looks at each want once, not again at those before it each time', async () => {
  const { node, network, replicator, close } = await openReplication()
  const images = Array.from({ length: 400 }, (_, n) => {
    const bytes = testBytes(200_000)
    bytes[n >> 8] = n
    return bytes
  })
  const source = new MemoryBlobSource()
  for (const bytes of images) source.add(bytes)
  network.add('p', source)
  const hashes: ContentHash[] = []
  for (const [n, bytes] of images.entries()) hashes.push(await want(node, `${n}.png`, bytes))
  const { index } = node.flows
  const wants = index.wants.bind(index)
  const looked: ContentHash[] = []
  index.wants = async function* (range) {
    for await (const hash of wants(range)) {
      looked.push(hash)
      yield hash
    }
  }
  replicator.wake()
  const held = () => hashes.filter((hash) => index.blob(hash)?.state === 'held')
  await eventually(() => expect(held()).toHaveLength(400))
  // but for the last ones, of which each look may be the last
  expect(looked.length).toBeLessThan(500)
  await close()
})

test('wrong bytes are dropped, and asked of another from the start', async () => {
  const { node, network, peers, replicator, clock, close } = await openReplication()
  network.add('lies', lyingSource(LARGE, 5))
  network.add('honest', sourceOf(LARGE))
  const hash = await want(node, 'a.png', LARGE)
  replicator.wake()
  await eventually(() => expect(node.flows.index.blob(hash)?.state).toBe('held'))
  expect(network.sentBytes('honest')).toBeGreaterThan(LARGE.byteLength)
  expect(peers.state('lies').restsUntilMs).toBeGreaterThan(clock.now())
  await close()
})

test.each(MICROTASKS)('blobs are looked for when told so %i steps after a look', async (steps) => {
  const { node, network, replicator, close } = await openReplication()
  let looks = 0
  node.flows.index.wants = async function* () {
    if (++looks === 1) void microtasks(steps).then(() => replicator.wake())
  }
  network.add('p', new MemoryBlobSource())
  replicator.wake()
  await settled()
  expect(looks).toBe(2)
  await close()
})

test('a clock that is set back keeps no peer at rest', async () => {
  const { node, network, peers, replicator, clock, close } = await openReplication()
  network.add('p', sourceOf(LARGE), [{ fault: { afterBytes: 1, from: 'right', how: 'break' } }, {}])
  const hash = await want(node, 'a.png', LARGE)
  replicator.wake()
  await eventually(() => expect(peers.state('p').restsUntilMs).toBeGreaterThan(0))
  clock.jump(-86_400_000)
  await eventually(() => {
    clock.advance(1000)
    expect(node.flows.index.blob(hash)?.state).toBe('held')
  })
  await close()
})

test('a blob for which the disk has no room does not keep others back for ever', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const small = tinyImage(1)
  const source = sourceOf(LARGE)
  source.add(small)
  network.add('p', source)
  const take = (bytes: number) => {
    if (bytes >= LARGE.byteLength) throw new NodeError('DISK_FULL', 'no room')
  }
  Object.assign(node.flows.room, { take })
  const fits = await want(node, 'small.svg', small)
  clock.advance(1000)
  const tooLarge = await want(node, 'large.png', LARGE)
  replicator.wake()
  await eventually(() => {
    clock.advance(5000)
    expect(node.flows.index.blob(fits)?.state).toBe('held')
  })
  expect(node.flows.index.blob(tooLarge)?.state).toBe('wanted')
  await close()
})

test('bytes that an index that was lost has left need not come again, if they are right', async () => {
  const { node, network, replicator, close } = await openReplication()
  const wrong = testBytes(2000, 2)
  const source = sourceOf(wrong)
  source.add(LARGE)
  network.add('p', source)
  for (const bytes of [LARGE, wrong]) {
    const staged = await node.store.stage(streamOf(bytes), { bytesMax: bytes.byteLength })
    await node.store.publish(staged)
    node.store.finish(staged)
  }
  node.store.damage(hashOf(wrong), 'by writing')
  const hashes = [await want(node, 'a.png', LARGE), await want(node, 'b.png', wrong)]
  replicator.wake()
  await eventually(() => {
    const states = hashes.map((hash) => node.flows.index.blob(hash)?.state)
    expect(states).toEqual(['held', 'held'])
  })
  expect(network.sentBytes('p')).toBeLessThan(10_000)
  expect((await node.store.rehash(hashOf(wrong)))?.hash).toBe(hashOf(wrong))
  await close()
})

test('what is about to be wanted comes meanwhile, and is kept when the index has it', async () => {
  const { node, network, replicator, close } = await openReplication()
  const bytes = tinyImage(1)
  const source = sourceOf(bytes)
  network.add('p', source)
  const hash = hashOf(bytes)
  const written = Promise.withResolvers<void>()
  replicator.coming([{ hash, bytes: bytes.byteLength }], written.promise)
  await eventually(() => expect(network.sentBytes('p')).toBeGreaterThan(bytes.byteLength))
  expect([...replicator.inFlight.keys()]).toEqual([hash])
  await want(node, 'a.svg', bytes)
  expect(node.flows.index.blob(hash)?.state).toBe('wanted')
  written.resolve()
  await eventually(() => expect(node.flows.index.blob(hash)?.state).toBe('held'))
  expect(network.streams('p')).toBe(1)
  await close()
})

test('what was to be wanted and could not be written is not kept', async () => {
  const { node, network, replicator, close } = await openReplication()
  const bytes = tinyImage(1)
  network.add('p', sourceOf(bytes))
  const hash = hashOf(bytes)
  const fault = new NodeError('DISK_FULL', 'The disk is full.')
  replicator.coming([{ hash, bytes: bytes.byteLength }], Promise.reject(fault))
  await eventually(() => expect(replicator.inFlight.size).toBe(0))
  expect([node.store.placeOf(hash), node.flows.index.blob(hash)]).toEqual([undefined, undefined])
  await close()
})
