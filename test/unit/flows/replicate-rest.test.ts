// What is looked for again, and what is not.

import { expect, test, vi } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import { sha256 } from '../../support/digests.ts'
import { eventually } from '../../support/eventually.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { settled } from '../../support/microtasks.ts'
import { openReplication } from '../../support/replication.ts'

const BYTES = testBytes(5_000)

async function start() {
  const opened = await openReplication()
  const { node } = opened
  let looks = 0
  const wants = node.flows.index.wants.bind(node.flows.index)
  node.flows.index.wants = (range) => {
    looks++
    return wants(range)
  }
  return { ...opened, looks: () => looks }
}

test('what could not be had and is wanted no more is not looked for any more', async () => {
  const { node, network, replicator, book, clock, looks, close } = await start()
  network.add('p', new MemoryBlobSource())
  const hash = await want(node, 'a.png', BYTES)
  replicator.wake()
  await eventually(() => expect(book.note(hash)?.attempts).toBe(1))
  await node.flows.index.change((tx) => tx.deleteImage(parsePath('a.png')))
  const before = looks()
  for (let n = 0; n < 100; n++) {
    clock.advance(100)
    await settled()
  }
  expect(looks() - before).toBeLessThan(5)
  await close()
})

test('what nobody has is tried again without a look at all that is lacking', async () => {
  const { node, network, replicator, book, clock, looks, close } = await start()
  const source = new MemoryBlobSource()
  const asked = vi.spyOn(source, 'open')
  network.add('p', source)
  const hashes: ContentHash[] = []
  for (let n = 0; n < 20; n++) hashes.push(await want(node, `${n}.png`, testBytes(5_000, n)))
  replicator.wake()
  const attempts = () => hashes.map((hash) => book.note(hash)?.attempts)
  await eventually(() => expect(new Set(attempts())).toEqual(new Set([1])))
  await settled()
  const before = looks()
  for (let n = 0; n < 100; n++) {
    clock.advance(100)
    await settled()
  }
  // after 1, 2 and 4 s, and what chance adds
  expect(new Set(attempts())).toEqual(new Set([4]))
  expect([asked.mock.calls.length, looks() - before]).toEqual([80, 0])
  expect(clock.pending).toBeLessThan(5)
  await close()
})

test.each(['now', 'later'])('what could not be kept %s is tried again', async (when) => {
  const { node, network, replicator, book, clock, close } = await openReplication()
  const bytes = testBytes(5_000)
  const source = new MemoryBlobSource()
  source.add(bytes)
  network.add('p', source)
  const hash = await want(node, 'a.png', bytes)
  const { store } = node.flows
  const publish = store.publish.bind(store)
  const gate = Promise.withResolvers<void>()
  let tries = 0
  Object.assign(store, {
    async publish(...args: Parameters<typeof publish>) {
      if (++tries > 1) return publish(...args)
      if (when === 'later') await gate.promise
      throw new NodeError('DISK_FULL', 'no room')
    }
  })
  replicator.wake()
  await eventually(() => expect(tries).toBe(1))
  await settled()
  await settled()
  gate.resolve()
  await settled()
  expect(book.note(hash)?.attempts).toBe(1)
  await eventually(() => {
    clock.advance(500)
    expect(node.flows.index.blob(hash)?.state).toBe('held')
  })
  await close()
})

async function withTwo() {
  const opened = await openReplication()
  const source = new MemoryBlobSource()
  const images = [testBytes(5_000), testBytes(6_000)] as const
  for (const bytes of images) source.add(bytes)
  opened.network.add('p', source)
  const older = await want(opened.node, 'a.png', images[0])
  const newer = await want(opened.node, 'b.png', images[1])
  const { index } = opened.node.flows
  return { ...opened, older, newer, stateOf: (hash: ContentHash) => index.blob(hash)?.state }
}

test('a file that can not be looked at keeps no older image back, and is looked at again', async () => {
  const { node, peers, replicator, book, clock, close, older, newer, stateOf } = await withTwo()
  const stamp = node.store.stamp.bind(node.store)
  let fails = true
  node.store.stamp = (hash) => {
    if (hash === newer && fails) throw new NodeError('DISK_FAULT', 'no answer')
    return stamp(hash)
  }
  replicator.wake()
  await eventually(() => expect(stateOf(older)).toBe('held'))
  expect(book.note(newer)?.reason).toBe('no answer')
  fails = false
  await eventually(() => {
    clock.advance(1000)
    expect(stateOf(newer)).toBe('held')
  })
  expect([replicator.inFlight.size, peers.state('p').owedBytes]).toEqual([0, 0])
  await close()
})

test('what was given to a peer before a look failed is asked for all the same', async () => {
  const { node, peers, replicator, clock, close, older, newer, stateOf } = await withTwo()
  const { index } = node.flows
  const blob = index.blob.bind(index)
  let reads = 0
  // as it is given: read once for the look, and for all that follows
  index.blob = (hash) => {
    if (hash === older && reads++ === 0) throw new NodeError('DISK_FAULT', 'no answer')
    return blob(hash)
  }
  replicator.wake()
  await eventually(() => expect(stateOf(newer)).toBe('held'))
  await eventually(() => {
    clock.advance(1000)
    expect(stateOf(older)).toBe('held')
  })
  expect([replicator.inFlight.size, peers.state('p').owedBytes]).toEqual([0, 0])
  await close()
})

test('bytes of an image that could not be written down are not the fault of who sent them', async () => {
  const { node, network, peers, replicator, close } = await openReplication()
  const [lost, kept] = [testBytes(5_000), testBytes(6_000)]
  const source = new MemoryBlobSource()
  const hash = source.add(lost)
  source.add(kept)
  network.add('p', source)
  const written = Promise.reject(new Error('the index is damaged'))
  written.catch(() => {})
  replicator.coming([{ hash, bytes: lost.byteLength }], written)
  const other = await want(node, 'b.png', kept)
  replicator.coming([{ hash: other, bytes: kept.byteLength }])
  await eventually(() => expect(node.flows.index.blob(other)?.state).toBe('held'))
  expect([replicator.inFlight.size, network.streams('p')]).toEqual([0, 1])
  const { owedBytes, restsUntilMs } = peers.state('p')
  expect([owedBytes, restsUntilMs]).toEqual([0, 0])
  await close()
})

test('where no stream to one server is left, images come from the others', async () => {
  const { node, network, peers, replicator, close } = await openReplication()
  const bytes = testBytes(5_000)
  const source = new MemoryBlobSource()
  source.add(bytes)
  for (const name of ['full', 'p']) network.add(name, source)
  const open = network.open.bind(network)
  Object.assign(network, {
    open: (id: string) =>
      id === 'full' ? Promise.reject(new NodeError('BUSY', 'Too many streams')) : open(id)
  })
  const hash = await want(node, 'a.png', bytes)
  replicator.wake()
  await eventually(() => expect(node.flows.index.blob(hash)?.state).toBe('held'))
  expect([replicator.pausedUntilMs, peers.state('p').restsUntilMs]).toEqual([undefined, 0])
  await close()
})

test('a new image does not wait behind bulk where there are no lanes', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const { index } = node.flows
  const source = new MemoryBlobSource()
  const old = Array.from({ length: 5 }, (_, n) => testBytes(200_000, n + 2))
  const fresh = testBytes(5_000)
  for (const bytes of [...old, fresh]) source.add(bytes)
  const gate = Promise.withResolvers<void>()
  const open = source.open.bind(source)
  source.open = async (hash) => {
    const blob = await open(hash)
    if (blob !== undefined && blob !== 'busy' && blob.bytes > 5_000) await gate.promise
    return blob
  }
  network.add('p', source)
  for (const [n, bytes] of old.entries()) await want(node, `${n}.png`, bytes)
  clock.advance(3_600_000)
  replicator.wake()
  await eventually(() => expect(replicator.inFlight.size).toBe(5))
  const hash = await want(node, 'new.png', fresh)
  replicator.came([hash])
  await eventually(() => expect(index.blob(hash)?.state).toBe('held'))
  gate.resolve()
  await eventually(() => expect(index.counts().wants).toBe(0))
  await close()
})

test('a stream on which a blob of another size would come for long is broken off', async () => {
  const { node, network, replicator, peers, book, close } = await openReplication()
  const [right, other] = [testBytes(5_000, 1), testBytes(3 * 2 ** 20, 2)]
  const hash = await want(node, 'a.png', right)
  const source = new MemoryBlobSource()
  source.add(other)
  const open = source.open.bind(source)
  source.open = () => open(sha256(other) as ContentHash)
  network.add('p', source)
  replicator.wake()
  await eventually(() => expect(book.note(hash)?.attempts).toBe(1))
  await eventually(() => expect(peers.state('p').restsUntilMs).toBeGreaterThan(0))
  expect(node.flows.index.blob(hash)?.state).toBe('wanted')
  await close()
})

test('an image that is written again comes at once, however long its bytes were not to be had', async () => {
  const { node, network, book, replicator, close } = await openReplication()
  const source = new MemoryBlobSource()
  network.add('p', source)
  const bytes = testBytes(100)
  const hash = await want(node, 'a.png', bytes)
  replicator.wake()
  await eventually(() => expect(book.note(hash)).toMatchObject({ cause: 'nobody' }))
  expect(book.isDue(hash)).toBe(false)
  source.add(bytes)
  await want(node, 'b.png', bytes)
  replicator.came([hash])
  await eventually(() => expect(node.flows.index.blob(hash)?.state).toBe('held'))
  await close()
})

test('also from who lacked it before, while another one that is still to be asked rests', async () => {
  const { node, network, peers, book, replicator, close } = await openReplication()
  const source = new MemoryBlobSource()
  network.add('p', source)
  network.add('rests', new MemoryBlobSource())
  peers.failed('rests', new Error('it broke off'))
  const bytes = testBytes(100)
  const hash = await want(node, 'a.png', bytes)
  replicator.wake()
  await eventually(() => expect(book.lacking(hash)).toEqual(new Set(['p'])))
  source.add(bytes)
  await want(node, 'b.png', bytes)
  replicator.came([hash])
  await eventually(() => expect(node.flows.index.blob(hash)?.state).toBe('held'))
  await close()
})

test('a server that is back at once is asked at once for what broke off as it went', async () => {
  const { node, network, peers, book, replicator, close } = await openReplication()
  const gate = Promise.withResolvers<void>()
  const source = new MemoryBlobSource()
  source.add(BYTES)
  const open = source.open.bind(source)
  let asked = 0
  source.open = async (hash) => {
    if (++asked === 1) await gate.promise
    return open(hash)
  }
  network.add('p', source)
  await want(node, 'a.png', BYTES)
  replicator.wake()
  await eventually(() => expect(asked).toBe(1))
  // one connection takes the place of another: nothing comes between
  peers.drop('p')
  peers.greet('p', 30_000)
  book.peerCame('p', network.peers())
  replicator.wake()
  await eventually(() => expect(node.flows.index.counts().wants).toBe(0))
  expect(peers.state('p').restsUntilMs).toBe(0)
  gate.resolve()
  await close()
})
