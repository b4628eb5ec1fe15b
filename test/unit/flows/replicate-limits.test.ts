import { zstdCompressSync } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import { md5, sha256 } from '../../support/digests.ts'
import { eventually } from '../../support/eventually.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import type { MemoryNode } from '../../support/memory-node.ts'
import { settled } from '../../support/microtasks.ts'
import { openReplication } from '../../support/replication.ts'

/** Images whose bytes nobody has. */
async function wantMany({ flows }: MemoryNode, count: number): Promise<void> {
  await flows.index.change((tx) => {
    for (let n = 0; n < count; n++) {
      const about = { bytes: 1000, mediaType: 'image/png', createdMs: 1 }
      const [hash, digest] = [sha256(Buffer.from(`${n}`)), md5(Buffer.from(`${n}`))]
      tx.putImage({
        path: parsePath(`${n}.png`),
        hash: hash as ContentHash,
        md5: digest as Md5,
        ...about
      })
    }
  })
}

test('what is caught up with keeps to its limit, and new images do not wait for it', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const { traffic, index } = node.flows
  traffic.change({ receive_catch_up: 200_000 })
  const images = Array.from({ length: 7 }, (_, n) => {
    const bytes = testBytes(200_000)
    bytes[0] = n
    return bytes
  })
  const source = new MemoryBlobSource()
  for (const bytes of images) source.add(bytes)
  network.add('p', source)
  const old: ContentHash[] = []
  for (const [n, bytes] of images.slice(0, 5).entries()) {
    old.push(await want(node, `${n}.png`, bytes))
  }
  clock.advance(3_600_000)
  const held = (hashes: ContentHash[]) => hashes.filter((one) => index.blob(one)?.state === 'held')
  replicator.wake()
  // a second of it at once, and one image more that is owed then
  await eventually(() => expect(held(old)).toHaveLength(2))
  await settled()
  expect(held(old)).toHaveLength(2)
  const fresh = [await want(node, 'new.png', images[5] as Buffer)]
  replicator.came(fresh)
  await eventually(() => expect(held(fresh)).toHaveLength(1))
  expect(held(old)).toHaveLength(2)
  clock.advance(1000)
  await eventually(() => expect(held(old)).toHaveLength(3))
  traffic.change({ receive_catch_up: undefined })
  await eventually(() => expect(held(old)).toHaveLength(5))
  await close()
})

test('a server at its limit is left alone, and others are asked', async () => {
  const { node, network, replicator, close } = await openReplication()
  const images = Array.from({ length: 6 }, (_, n) => {
    const bytes = testBytes(200_000)
    bytes[0] = n
    return bytes
  })
  node.flows.traffic.change({ receive_remote: 100_000 })
  node.flows.traffic.isRemote = (peerId) => peerId === 'far'
  for (const name of ['far', 'near']) {
    const source = new MemoryBlobSource()
    for (const bytes of images) source.add(bytes)
    network.add(name, source)
  }
  const hashes: ContentHash[] = []
  for (const [n, bytes] of images.entries()) hashes.push(await want(node, `${n}.png`, bytes))
  replicator.wake()
  const held = () => hashes.filter((hash) => node.flows.index.blob(hash)?.state === 'held')
  await eventually(() => expect(held()).toHaveLength(6))
  expect(network.sentBytes('far')).toBeLessThan(300_000)
  await close()
})

test('what a server lacks does not count as received', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const bytes = testBytes(200_000)
  network.add('lacks', new MemoryBlobSource())
  const source = new MemoryBlobSource()
  source.add(bytes)
  network.add('whole', source)
  const hash = await want(node, 'a.png', bytes)
  clock.advance(3_600_000)
  node.flows.traffic.change({ receive_catch_up: 100_000 })
  replicator.wake()
  await eventually(() => expect(node.flows.index.blob(hash)?.state).toBe('held'))
  expect(node.flows.traffic.waitMs('catch_up')).toBe(2000)
  await close()
})

test.each([200_000, 1_000_000])(
  '%i bytes that come packed cost a limit what passes',
  async (length) => {
    const { node, network, replicator, clock, close } = await openReplication()
    const bytes = new Uint8Array(length).fill(7)
    const pack = async (block: Uint8Array) => zstdCompressSync(block)
    const source = Object.assign(new MemoryBlobSource(), { packer: { mayPay: () => true, pack } })
    source.add(bytes)
    network.add('p', source)
    const hash = await want(node, 'a.bmp', bytes)
    clock.advance(3_600_000)
    node.flows.traffic.change({ receive_catch_up: 100_000 })
    replicator.wake()
    const beganMs = clock.monotonicMs()
    await eventually(() => {
      clock.advance(1)
      expect(node.flows.index.blob(hash)?.state).toBe('held')
    })
    // as it was, it is two seconds of the limit, or ten
    expect(clock.monotonicMs() - beganMs).toBeLessThan(1000)
    expect(node.flows.traffic.waitMs('catch_up')).toBeLessThan(10)
    await close()
  }
)

test('what was lost comes although thousands of newer images wait for a limit', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const { index, traffic } = node.flows
  const bytes = testBytes(5_000)
  const source = new MemoryBlobSource()
  source.add(bytes)
  network.add('p', source)
  const lost = await want(node, 'lost.png', bytes)
  await index.change((tx) => tx.setBlob(lost, { state: 'missing' }))
  await wantMany(node, 2500)
  clock.advance(3_600_000)
  traffic.change({ receive_catch_up: 100_000 })
  traffic.asked('catch_up', 'p', 1e9)
  replicator.wake()
  await eventually(() => {
    clock.advance(100)
    // new images keep coming, and have it begin with the newest again
    replicator.wake()
    expect(index.blob(lost)?.state).toBe('held')
  })
  expect(index.counts().wants).toBe(2500)
  await close()
})

test.each(['rests', 'has come to its limit'])(
  'where the only peer %s, nobody looks behind what waits in front',
  async (how) => {
    const { node, network, peers, replicator, clock, close } = await openReplication()
    const { traffic } = node.flows
    network.add('p', new MemoryBlobSource())
    if (how === 'rests') peers.failed('p', new Error('broken'))
    else {
      traffic.change({ receive_per_server: 100_000 })
      traffic.asked('catch_up', 'p', 1e9)
    }
    await wantMany(node, 3000)
    const looks = vi.spyOn(node.store, 'stamp')
    replicator.wake()
    await eventually(() => expect(looks).toHaveBeenCalledTimes(1000))
    for (let tenth = 1; tenth < 9; tenth++) {
      await settled()
      clock.advance(100)
    }
    await settled()
    expect(looks).toHaveBeenCalledTimes(1000)
    await close()
  }
)

test('a large blob comes at the pace of its limit, and nothing else waits for it', async () => {
  const { node, network, peers, replicator, clock, close } = await openReplication()
  const { index, traffic } = node.flows
  const [large, fresh] = [testBytes(1_000_000), testBytes(5_000)]
  const source = new MemoryBlobSource({ pieceBytes: 10_000 })
  for (const bytes of [large, fresh]) source.add(bytes)
  network.add('p', source)
  const old = await want(node, 'large.png', large)
  clock.advance(3_600_000)
  traffic.change({ receive_catch_up: 100_000 })
  replicator.wake()
  const done = () => replicator.transfers()[0]?.bytesDone ?? 0
  await eventually(() => expect(done()).toBeGreaterThan(0))
  await settled()
  expect(done()).toBeLessThan(100_000)
  expect(peers.state('p').owedBytes).toBe(0)
  const news = await want(node, 'new.png', fresh)
  replicator.came([news])
  await eventually(() => expect(index.blob(news)?.state).toBe('held'))
  for (let second = 1; second <= 5; second++) {
    for (let tenth = 0; tenth < 10; tenth++) {
      clock.advance(100)
      await settled()
    }
    expect(done()).toBeLessThan((second + 1) * 100_000)
  }
  expect(done()).toBeGreaterThan(300_000)
  // a reader does not wait for what keeps catching up back
  const opened = await replicator.open(old)
  const reading = Array.fromAsync(opened?.blob.read(0, large.byteLength) ?? [])
  await settled()
  clock.advance(500)
  expect(sha256(Buffer.concat(await reading))).toBe(old)
  await opened?.blob.close()
  await eventually(() => expect(index.blob(old)?.state).toBe('held'))
  await close()
})

test('what broke off is taken from a limit as far as it has come', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const { traffic } = node.flows
  const bytes = testBytes(900_000)
  const source = new MemoryBlobSource()
  source.add(bytes)
  network.add('p', source, [{ fault: { afterBytes: 100_000, from: 'right', how: 'break' } }])
  await want(node, 'a.png', bytes)
  clock.advance(3_600_000)
  traffic.change({ receive_catch_up: 1_000_000, receive_per_server: 1_000_000 })
  // what was saved up is gone
  traffic.asked('catch_up', 'p', 1_000_000)
  clock.advance(1000)
  replicator.wake()
  await eventually(() => expect([network.streams('p'), replicator.inFlight.size]).toEqual([1, 0]))
  expect(traffic.waitMs('catch_up')).toBeGreaterThan(0)
  expect(traffic.waitMs('catch_up')).toBeLessThan(110)
  expect(traffic.waitMsOf('p')).toBeLessThan(110)
  await close()
})

test('what a reader waits for keeps to its limit too', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const large = testBytes(500_000)
  const source = new MemoryBlobSource()
  const hash = source.add(large)
  await want(node, 'a.png', large)
  network.add('p', source)
  node.flows.traffic.change({ receive_reads: 100_000 })
  const opened = await replicator.open(hash)
  let got = 0
  const reading = (async () => {
    for await (const piece of opened?.blob.read(0, 500_000) ?? []) got += piece.byteLength
  })()
  await settled()
  expect(got).toBeLessThan(200_000)
  await eventually(() => {
    clock.advance(500)
    expect(got).toBe(500_000)
  })
  await reading
  await opened?.blob.close()
  await close()
})

test('a limit that is set while a large blob comes holds for the rest of it', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const { index, traffic } = node.flows
  const large = testBytes(1_000_000)
  const onPiece = (pieces: number) => {
    if (pieces === 30) traffic.change({ receive_catch_up: 100_000 })
  }
  const source = new MemoryBlobSource({ pieceBytes: 10_000, onPiece })
  source.add(large)
  network.add('p', source)
  const hash = await want(node, 'large.png', large)
  clock.advance(3_600_000)
  replicator.wake()
  await eventually(() => expect(source.piecesRead).toBeGreaterThan(30))
  await settled()
  const done = () => replicator.transfers()[0]?.bytesDone ?? 0
  await eventually(() => expect(done()).toBeGreaterThan(0))
  const before = done()
  expect(before).toBeLessThan(500_000)
  for (let tenth = 0; tenth < 20; tenth++) {
    clock.advance(100)
    await settled()
  }
  expect(done()).toBeLessThan(before + 400_000)
  expect(index.blob(hash)?.state).not.toBe('held')
  traffic.change({ receive_catch_up: undefined })
  await eventually(() => {
    clock.advance(100)
    expect(index.blob(hash)?.state).toBe('held')
  })
  // what had come did not come again
  expect(source.piecesRead).toBeLessThan(140)
  await close()
})

test('thousands that nobody has are passed over a part at a time, and what is behind them comes', async () => {
  const { node, network, book, replicator, clock, close } = await openReplication()
  const { index } = node.flows
  const images = [testBytes(5_000), testBytes(6_000)] as const
  const source = new MemoryBlobSource()
  for (const bytes of images) source.add(bytes)
  const old = await want(node, 'old.png', images[0])
  await wantMany(node, 9000)
  for await (const hash of index.wants()) {
    for (let n = 0; n < 10 && hash !== old; n++) book.failed(hash, 'gone')
  }
  const startMs = clock.monotonicMs()
  const looks = vi.spyOn(book, 'isKnown')
  network.add('p', source)
  replicator.wake()
  await settled()
  await eventually(() => expect(looks.mock.calls.length).toBeGreaterThan(2000))
  await settled()
  expect(looks.mock.calls.length).toBeLessThan(9000)
  // new ones keep coming meanwhile, and are not kept back
  const fresh = await want(node, 'new.png', images[1])
  replicator.came([fresh])
  await eventually(() => expect(index.blob(fresh)?.state).toBe('held'))
  await eventually(() => {
    clock.advance(100)
    replicator.wake()
    expect(index.blob(old)?.state).toBe('held')
  })
  expect(clock.monotonicMs() - startMs).toBeLessThan(60_000)
  await close()
})
