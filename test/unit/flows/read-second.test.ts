// A reader does not wait long for a holder that is slow to begin.

import { afterEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
import { settled } from '../../support/microtasks.ts'
import {
  beginReading,
  endReading,
  fillDisk,
  isHeld,
  LARGE,
  SMALL,
  silentSource,
  sourceOf
} from '../../support/reading-node.ts'

afterEach(endReading)

/** Answers as soon as it is let. */
function gated(...blobs: readonly Uint8Array[]) {
  const source = sourceOf(...blobs)
  const open = source.open.bind(source)
  const gate = Promise.withResolvers<void>()
  const asked: ContentHash[] = []
  source.open = async (hash) => {
    asked.push(hash)
    await gate.promise
    return open(hash)
  }
  return { source, open: gate.resolve, asked: () => asked.length, hashes: () => asked }
}

test.each([
  ['small', SMALL],
  ['large', LARGE]
])(
  'a second holder is asked for a %s blob after a second where nothing is known',
  async (_, bytes) => {
    const { node, network, replicator, peers, clock } = await beginReading()
    network.add('silent', silentSource(bytes, undefined))
    network.add('p', sourceOf(bytes))
    const hash = await want(node, 'a.png', bytes)
    const fetching = replicator.fetchNow(hash)
    await eventually(() => expect(network.streams('silent')).toBe(1))
    await settled()
    clock.advance(999)
    await settled()
    expect(network.streams('p')).toBe(0)
    clock.advance(1)
    expect(await fetching).toBe('p')
    expect(isHeld(node, hash)).toBe(true)
    expect(peers.state('p').restsUntilMs).toBe(0)
    // it is slow, and has not failed: what else it sends goes on
    expect(peers.state('silent').restsUntilMs).toBe(0)
  }
)

test('one that usually begins at once is waited for less long', async () => {
  const { node, network, replicator, clock } = await beginReading()
  const images = [11, 12, 13].map((n) => testBytes(5000, n))
  const slow = gated(SMALL)
  const quick = sourceOf(...images)
  network.add('slow', {
    open: (hash) => (quick.have(hash) ? quick.open(hash) : slow.source.open(hash)),
    have: () => true,
    whenHeld: async () => true
  })
  for (const [n, bytes] of images.entries()) {
    expect(await replicator.fetchNow(await want(node, `${n}.png`, bytes))).toBe('slow')
  }
  const hash = await want(node, 'a.png', SMALL)
  // both are idle, and the one that came first is asked first
  network.add('p', sourceOf(SMALL))
  const fetching = replicator.fetchNow(hash)
  await eventually(() => expect(slow.asked()).toBe(1))
  clock.advance(300)
  expect(await fetching).toBe('p')
  slow.open()
  await settled()
  expect(node.store.partials()).toEqual([])
})

test('of two answers the one that comes first counts, and of the other nothing stays', async () => {
  const { node, network, replicator, clock } = await beginReading()
  const [first, second] = [gated(SMALL), gated(SMALL)]
  network.add('first', first.source)
  network.add('second', second.source)
  const hash = await want(node, 'a.png', SMALL)
  const fetching = replicator.fetchNow(hash)
  await eventually(() => expect(first.asked()).toBe(1))
  clock.advance(1000)
  await eventually(() => expect(second.asked()).toBe(1))
  first.open()
  expect(await fetching).toBe('first')
  expect(isHeld(node, hash)).toBe(true)
  second.open()
  await eventually(() => expect(network.sentBytes('second')).toBeGreaterThan(SMALL.byteLength))
  await settled()
  expect(replicator.transfers()).toEqual([])
})

test.each([
  ['small', SMALL],
  ['large', LARGE]
])('a holder of a %s blob that is slow is not lost where nobody else has it', async (_, bytes) => {
  const { node, network, replicator, clock } = await beginReading()
  const slow = gated(bytes)
  network.add('slow', slow.source)
  network.add('lacks', sourceOf())
  const hash: ContentHash = await want(node, 'a.png', bytes)
  const fetching = replicator.fetchNow(hash)
  await eventually(() => expect(slow.asked()).toBe(1))
  clock.advance(1000)
  await eventually(() => expect(network.streams('lacks')).toBe(1))
  await settled()
  clock.advance(1000)
  await settled()
  slow.open()
  expect(await fetching).toBe('slow')
})

test('nor is one to which a stream is slow to open', async () => {
  const { node, network, replicator, peers, clock } = await beginReading()
  network.add('slow', sourceOf(LARGE))
  network.add('lacks', sourceOf())
  const open = network.open.bind(network)
  const gate = Promise.withResolvers<void>()
  let asked = 0
  const openLate = async (id: string, _: string, signal: AbortSignal) => {
    if (id !== 'slow') return open(id)
    asked++
    const late = Promise.withResolvers<never>()
    signal.addEventListener('abort', () => late.reject(new Error('there is no connection')))
    await Promise.race([gate.promise, late.promise])
    return open(id)
  }
  Object.assign(network, { open: openLate })
  const fetching = replicator.fetchNow(await want(node, 'a.png', LARGE))
  await eventually(() => expect(asked).toBe(1))
  clock.advance(1000)
  await eventually(() => expect(asked).toBe(2))
  gate.resolve()
  expect(await fetching).toBe('slow')
  expect(peers.state('slow').restsUntilMs).toBe(0)
})

test.each([
  ['a reader', false],
  ['replication', true]
])('of two idle holders %s asks the nearer one', async (_, fetchAll) => {
  const { node, network, replicator } = await beginReading({ fetchAll })
  for (const name of ['far', 'near']) network.add(name, sourceOf(SMALL))
  const peers = network.peers()
  const latencyMs = (id: string) => (id === 'far' ? 80 : 1)
  Object.assign(network, {
    peers: () => peers.map((peer) => ({ ...peer, latencyMs: latencyMs(peer.id) }))
  })
  const hash = await want(node, 'a.png', SMALL)
  if (fetchAll) replicator.wake()
  else await replicator.fetchNow(hash)
  await eventually(() => expect(isHeld(node, hash)).toBe(true))
  expect([network.streams('far'), network.streams('near')]).toEqual([0, 1])
})

test.each([
  ['small', SMALL],
  ['large', LARGE]
])('a %s blob that can not be kept is asked of a second holder soon, too', async (_, bytes) => {
  const { node, network, replicator, peers, clock } = await beginReading()
  network.add('silent', silentSource(bytes, undefined))
  network.add('p', sourceOf(bytes))
  const hash = await want(node, 'a.png', bytes)
  fillDisk(node)
  const opening = replicator.open(hash)
  await eventually(() => expect(network.streams('silent')).toBe(1))
  await settled()
  clock.advance(1000)
  const opened = await opening
  expect(opened?.peerId).toBe('p')
  expect(peers.state('silent').restsUntilMs).toBe(0)
  opened?.blob.close()
})

test('one that is slow is asked again for a large blob that can not be kept', async () => {
  const { node, network, replicator, clock } = await beginReading()
  const slow = gated(LARGE)
  network.add('slow', slow.source)
  network.add('lacks', sourceOf())
  const hash = await want(node, 'a.png', LARGE)
  fillDisk(node)
  const opening = replicator.open(hash)
  await eventually(() => expect(slow.asked()).toBe(1))
  clock.advance(1000)
  await eventually(() => expect(slow.asked()).toBe(2))
  clock.advance(6000)
  await settled()
  slow.open()
  const opened = await opening
  expect(opened?.peerId).toBe('slow')
  opened?.blob.close()
})

test('a holder of large blobs that begins none for long has failed', async () => {
  const { node, network, replicator, peers, clock } = await beginReading()
  const images = Array.from({ length: 20 }, (_, n) => testBytes(600_000, n))
  const silent = sourceOf(...images)
  silent.open = () => new Promise(() => {})
  network.add('silent', silent)
  network.add('p', sourceOf(...images))
  let tries = 0
  for (; peers.state('silent').restsUntilMs === 0; tries++) {
    const hash = await want(node, `${tries}.png`, images[tries] as Uint8Array)
    const fetching = replicator.fetchNow(hash)
    await eventually(() => expect(network.streams('silent')).toBe(tries + 1))
    await settled()
    clock.advance(5000)
    expect(await fetching).toBe('p')
  }
  expect(tries).toBeGreaterThan(1)
})

test('a second holder whose turn comes too late is not asked', async () => {
  const { node, network, replicator, clock } = await beginReading()
  const busyWith = Array.from({ length: 128 }, (_, n) => testBytes(5000, 100 + n))
  const [first, busy] = [gated(SMALL), gated(SMALL, ...busyWith)]
  network.add('busy', busy.source)
  const others: Promise<unknown>[] = []
  for (const [n, bytes] of busyWith.entries()) {
    others.push(replicator.fetchNow(await want(node, `${n}.png`, bytes)))
  }
  await eventually(() => expect(busy.asked()).toBeGreaterThan(0))
  network.add('first', first.source)
  const hash = await want(node, 'a.png', SMALL)
  const fetching = replicator.fetchNow(hash)
  await eventually(() => expect(first.asked()).toBe(1))
  clock.advance(1000)
  await settled()
  first.open()
  expect(await fetching).toBe('first')
  busy.open()
  await Promise.all(others)
  await settled()
  expect(busy.hashes()).not.toContain(hash)
})

test('who lacks a large blob is asked for it once for one reader', async () => {
  const { node, network, replicator } = await beginReading()
  const lacks = sourceOf()
  const asked: ContentHash[] = []
  lacks.open = async (hash) => {
    asked.push(hash)
    return undefined
  }
  network.add('lacks', lacks)
  const hash = await want(node, 'a.png', LARGE)
  expect(await replicator.open(hash)).toBeUndefined()
  await settled()
  expect(asked).toEqual([hash])
})

test.each([
  ['kept', false],
  ['passed on', true]
])(
  'a large blob that is %s is given up when nobody has sent it in all the time',
  async (_, isFull) => {
    const { node, network, replicator, clock } = await beginReading()
    const asked: string[] = []
    for (const id of ['one', 'two']) {
      const silent = sourceOf(LARGE)
      silent.open = () => {
        asked.push(id)
        return new Promise(() => {})
      }
      network.add(id, silent)
    }
    const hash = await want(node, 'a.png', LARGE)
    if (isFull) fillDisk(node)
    let outcome: unknown = 'none yet'
    replicator.open(hash).then(
      (opened) => {
        outcome = opened
      },
      (error) => {
        outcome = error.code
      }
    )
    await eventually(() => {
      clock.advance(1000)
      expect(outcome).toBeUndefined()
    })
    expect(asked.sort()).toEqual(['one', 'one', 'two', 'two'])
  }
)
