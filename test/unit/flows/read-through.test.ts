import { afterEach, expect, test } from 'vitest'
import { lyingSource, want } from '../../support/blob-holders.ts'
import { collect, testBytes } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
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

test('a hundred readers cause one fetch, and the blob stays', async () => {
  const { node, network, replicator } = await beginReading()
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
    const { node, network, replicator } = await beginReading()
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

test('a small image is read before it is kept', async () => {
  const { node, network, replicator } = await beginReading()
  network.add('p', sourceOf(SMALL))
  const hash = await want(node, 'a.png', SMALL)
  const placed = Promise.withResolvers<void>()
  const placing = node.flows.locks.blob.run(hash, () => placed.promise)
  const opened = await replicator.open(hash)
  expect(isHeld(node, hash)).toBe(false)
  expect(opened?.peerId).toBe('p')
  expect(same(await collect(opened?.blob.read(0, SMALL.byteLength)), SMALL)).toBe(true)
  placed.resolve()
  await placing
  await eventually(() => expect(isHeld(node, hash)).toBe(true))
})

test('one who reads nothing keeps nobody back', async () => {
  const { node, network, replicator } = await beginReading()
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
  const { node, network, replicator, peers, clock } = await beginReading()
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
  const { node, network, replicator, peers, clock } = await beginReading()
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
  const { node, network, replicator } = await beginReading()
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
  const { node, network, replicator } = await beginReading()
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
  const { node, network, replicator } = await beginReading()
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
    const { node, network, replicator } = await beginReading()
    network.add('p', sourceOf(bytes))
    const hash = await want(node, 'a.png', bytes)
    const opened = await replicator.open(hash)
    expect([opened?.peerId, opened?.blob.bytes]).toEqual(['p', bytes.byteLength])
    expect(opened?.blob.readInto !== undefined).toBe(bytes === SMALL)
    expect(same(await collect(opened?.blob.read(3, 100)), bytes.subarray(3, 100))).toBe(true)
    opened?.blob.close()
  }
)

/** Sends nothing, or stops in the middle. */
test.each([
  ['before it answers, while there is another', undefined, 1000],
  ['in the middle of a body, while there is another', 350_000, 10_000]
])('a holder that falls silent %s is left for the next', async (_, afterBytes, silentMs) => {
  const { node, network, replicator, clock } = await beginReading()
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

test('one that pauses in the middle gets all its time where nobody else goes on', async () => {
  const { node, network, replicator, clock } = await beginReading()
  const source = sourceOf(LARGE)
  const open = source.open.bind(source)
  let tries = 0
  const gate = Promise.withResolvers<void>()
  source.open = async (hash) => {
    const blob = await open(hash)
    if (blob === undefined || blob === 'busy') return blob
    const pauseMs = ++tries === 1 ? 1e9 : 25_000
    return {
      ...blob,
      async *read(start, end) {
        yield LARGE.subarray(start, start + 100_000)
        if (tries > 1) gate.resolve()
        await new Promise<void>((resolve) => clock.after(pauseMs, resolve))
        yield LARGE.subarray(start + 100_000, end)
      }
    }
  }
  network.add('p', source)
  network.add('lacks', sourceOf())
  const hash = await want(node, 'a.png', LARGE)
  const fetching = replicator.fetchNow(hash)
  await eventually(() => expect(replicator.transfers()[0]?.bytesDone).toBe(100_000))
  clock.advance(10_000)
  await gate.promise
  await eventually(() => expect(replicator.transfers()[0]?.bytesDone).toBe(200_000))
  clock.advance(25_000)
  expect(await fetching).toBe('p')
  expect(network.streams('lacks')).toBe(1)
})

test('a reader and replication share what comes', async () => {
  const { node, network, replicator } = await beginReading({ fetchAll: true })
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
  const { node, network, replicator } = await beginReading()
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
