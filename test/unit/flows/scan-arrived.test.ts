// What other servers send is seen by the scanner before anybody can read it.

import { afterEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { ScannerError, ScannerLimit } from '../../../src/content/clamd.ts'
import { type ScanOptions, VirusScanner } from '../../../src/flows/scan-virus.ts'
import { want } from '../../support/blob-holders.ts'
import { collect, testBytes } from '../../support/data-folder.ts'
import { eventually } from '../../support/eventually.ts'
import type { MemoryNode } from '../../support/memory-node.ts'
import { settled } from '../../support/microtasks.ts'
import {
  beginReading,
  endReading,
  isHeld,
  LARGE,
  SMALL,
  same,
  sourceOf
} from '../../support/reading-node.ts'

afterEach(endReading)

const BAD = [
  Buffer.concat([SMALL, Buffer.from('virus')]),
  Buffer.concat([LARGE, Buffer.from('virus')])
]

interface Daemon {
  isThere: boolean
  /** Longer ones it does not take. */
  bytesMax: number
  /** Answers wait for it. */
  gate: Promise<void>
  asked: number
}

function withScanner({ flows }: MemoryNode, options: Partial<ScanOptions> = {}): Daemon {
  const daemon: Daemon = {
    ...{ isThere: true, bytesMax: LARGE.byteLength * 2 },
    ...{ gate: Promise.resolve(), asked: 0 }
  }
  const ask = async (bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => {
    daemon.asked++
    if (!daemon.isThere) throw new ScannerError('clamd is gone')
    const whole = Buffer.concat(await Array.fromAsync(bytes))
    if (whole.byteLength > daemon.bytesMax) throw new ScannerLimit('too long')
    await daemon.gate
    return whole.includes('virus') ? 'Test.Virus' : undefined
  }
  const scanner = new VirusScanner({ ask, flows }, { absent: 'refuse', stored: true, ...options })
  Object.assign(flows, { scanner })
  return daemon
}

const full = () => {
  throw new NodeError('DISK_FULL', 'The disk is full.')
}

test.each([
  ['small', SMALL],
  ['large', LARGE]
])('a %s blob can be read once it was seen, and not before', async (_, bytes) => {
  const { node, network, replicator } = await beginReading({ fetchAll: true })
  const daemon = withScanner(node)
  const gate = Promise.withResolvers<void>()
  daemon.gate = gate.promise
  network.add('p', sourceOf(bytes))
  const hash = await want(node, 'a.png', bytes)
  replicator.wake()
  await eventually(() => expect(daemon.asked).toBe(1))
  const opening = replicator.open(hash)
  let isOpen = false
  void opening.then(() => {
    isOpen = true
  })
  await eventually(() => expect(daemon.asked).toBeGreaterThan(0))
  await node.flows.index.change(() => {})
  expect([isOpen, isHeld(node, hash), node.store.placeOf(hash)]).toEqual([false, false, undefined])
  gate.resolve()
  const opened = await opening
  expect(same(await collect(opened?.blob.read(0, bytes.byteLength)), bytes)).toBe(true)
  opened?.blob.close()
  await eventually(() => expect(isHeld(node, hash)).toBe(true))
})

test.each(BAD)('a bad one is blocked, and leaves nothing behind (%#)', async (bytes) => {
  const { node, network, replicator } = await beginReading()
  withScanner(node)
  network.add('p', sourceOf(bytes))
  const hash = await want(node, 'a.png', bytes)
  await expect(replicator.open(hash)).rejects.toMatchObject({ code: 'BLOCKED' })
  expect(node.flows.blocks.get(hash)?.reason).toBe('virus: Test.Virus')
  await eventually(() => expect(node.flows.index.blob(hash)?.state).toBe('blocked'))
  expect([node.store.placeOf(hash), node.store.leftovers()]).toEqual([undefined, []])
})

test('one that comes by itself is blocked, too', async () => {
  const { node, network, replicator } = await beginReading({ fetchAll: true })
  const daemon = withScanner(node)
  const [bad, worse] = BAD as [Buffer, Buffer]
  network.add('p', sourceOf(bad, worse, SMALL))
  const hashes: ContentHash[] = []
  for (const [n, bytes] of [bad, worse].entries()) hashes.push(await want(node, `${n}.png`, bytes))
  const good = await want(node, 'good.png', SMALL)
  replicator.wake()
  await eventually(() => {
    for (const hash of hashes) expect(node.flows.index.blob(hash)?.state).toBe('blocked')
    expect(isHeld(node, good)).toBe(true)
  })
  expect(hashes.map((hash) => node.store.placeOf(hash))).toEqual([undefined, undefined])
  expect(daemon.asked).toBe(3)
})

test('without an answer nothing is taken, and it comes once there is one', async () => {
  const { node, network, replicator } = await beginReading()
  const daemon = withScanner(node)
  daemon.isThere = false
  network.add('p', sourceOf(SMALL, LARGE))
  for (const [name, bytes] of Object.entries({ 's.png': SMALL, 'l.png': LARGE })) {
    daemon.isThere = false
    const hash = await want(node, name, bytes)
    await expect(replicator.open(hash)).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
    expect([isHeld(node, hash), node.store.placeOf(hash)]).toEqual([false, undefined])
    daemon.isThere = true
    const opened = await replicator.open(hash)
    opened?.blob.close()
    expect(isHeld(node, hash)).toBe(true)
  }
  expect(node.flows.scanner?.unseen()).toBe(0)
})

test('where that is accepted they are taken, and noted', async () => {
  const { node, network, replicator } = await beginReading()
  const daemon = withScanner(node, { absent: 'accept' })
  daemon.isThere = false
  network.add('p', sourceOf(SMALL))
  const hash = await want(node, 'a.png', SMALL)
  const opened = await replicator.open(hash)
  opened?.blob.close()
  expect([isHeld(node, hash), node.flows.scanner?.unseen()]).toEqual([true, 1])
  expect(node.flows.scanner?.keepsOut).toBe(false)
})

test('what is only passed on is seen, too', async () => {
  const { node, network, replicator } = await beginReading()
  withScanner(node)
  network.add('p', sourceOf(...BAD, SMALL, LARGE))
  Object.assign(node.flows.room, { demand: full, take: full })
  for (const [n, bytes] of [SMALL, LARGE].entries()) {
    const hash = await want(node, `good-${n}.png`, bytes)
    const opened = await replicator.open(hash)
    expect(same(await collect(opened?.blob.read(0, bytes.byteLength)), bytes)).toBe(true)
    opened?.blob.close()
  }
  for (const [n, bytes] of BAD.entries()) {
    const hash = await want(node, `bad-${n}.png`, bytes)
    await expect(replicator.open(hash)).rejects.toMatchObject({ code: 'BLOCKED' })
  }
  expect(replicator.transfers()).toEqual([])
})

test('a peer that sends other bytes once it was scanned reaches no reader with them', async () => {
  const { node, network, replicator } = await beginReading()
  withScanner(node)
  const source = sourceOf(LARGE)
  const open = source.open.bind(source)
  let asked = 0
  source.open = async (hash) => {
    const blob = await open(hash)
    if (blob === undefined || blob === 'busy' || asked++ === 0) return blob
    return {
      ...blob,
      async *read() {
        const other = Buffer.from(LARGE)
        other.write('virus', 100_000)
        yield other
      }
    }
  }
  network.add('p', source)
  Object.assign(node.flows.room, { demand: full, take: full })
  const hash = await want(node, 'a.png', LARGE)
  const opened = await replicator.open(hash)
  const got: Uint8Array[] = []
  const read = async () => {
    for await (const piece of opened?.blob.read(0, LARGE.byteLength) ?? []) got.push(piece)
  }
  await expect(read()).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
  opened?.blob.close()
  const all = Buffer.concat(got)
  expect(Buffer.compare(all, LARGE.subarray(0, all.byteLength))).toBe(0)
})

test('a scanner that is gone is not asked for each of very many', async () => {
  const { node, clock } = await beginReading()
  const daemon = withScanner(node)
  const { scanner } = node.flows
  daemon.isThere = false
  const come = () => scanner?.scanArrived('0'.repeat(64) as ContentHash, [SMALL]).catch(() => {})
  for (let n = 0; n < 7; n++) await come()
  expect(scanner?.keepsOut).toBe(false)
  await come()
  expect(scanner?.keepsOut).toBe(true)
  clock.advance(10_000)
  expect(scanner?.keepsOut).toBe(false) // it is tried again
  daemon.isThere = true
  await come()
  daemon.isThere = false
  await come()
  expect(scanner?.keepsOut).toBe(false)
})

test('what is too long for the scanner does not come again and again to be refused', async () => {
  const { node, network, replicator, clock } = await beginReading({ fetchAll: true })
  const daemon = withScanner(node)
  daemon.bytesMax = SMALL.byteLength
  const images = Array.from({ length: 20 }, (_, n) => testBytes(LARGE.byteLength, 50 + n))
  network.add('p', sourceOf(SMALL, ...images))
  const hashes: ContentHash[] = []
  const wantNext = async (bytes: Uint8Array) => {
    hashes.push(await want(node, `${hashes.length}.png`, bytes))
    replicator.wake()
    await settled()
  }
  await wantNext(images[0] as Buffer)
  await eventually(() => expect(daemon.asked).toBe(1))
  for (const bytes of images.slice(1)) await wantNext(bytes)
  for (let n = 0; n < 50; n++) {
    await clock.pass(1000)
    await settled()
  }
  await wantNext(SMALL)
  await eventually(() => expect(isHeld(node, hashes.at(-1) as ContentHash)).toBe(true))
  expect(daemon.asked).toBe(2)
  // it is tried again, and all come once one is taken
  daemon.bytesMax = LARGE.byteLength
  await eventually(async () => {
    await clock.pass(60_000)
    for (const hash of hashes) expect(isHeld(node, hash)).toBe(true)
  })
})

test('what is named again while it waits for its turn does not slip through', async () => {
  const { node, network, replicator } = await beginReading()
  const { blocks, locks } = node.flows
  const daemon = withScanner(node)
  network.add('p', sourceOf(SMALL))
  const hash = await want(node, 'a.png', SMALL)
  await blocks.add(hash, { reason: 'test', node: 'a' })
  const turn = Promise.withResolvers<void>()
  const before = locks.blob.run(hash, () => turn.promise)
  const fetching = replicator.fetchNow(hash)
  await eventually(() => expect(replicator.received().blobs).toBe(1))
  await settled()
  await blocks.remove(hash)
  turn.resolve()
  await Promise.all([before, fetching])
  if (daemon.asked === 0) expect(node.store.placeOf(hash)).toBeUndefined()
  await replicator.fetchNow(hash)
  expect([daemon.asked, isHeld(node, hash)]).toEqual([1, true])
})

test('is not shown to it where that is turned off', async () => {
  const { node, network, replicator } = await beginReading()
  const daemon = withScanner(node, { stored: false })
  network.add('p', sourceOf(SMALL))
  const hash = await want(node, 'a.png', SMALL)
  const opened = await replicator.open(hash)
  opened?.blob.close()
  expect([isHeld(node, hash), daemon.asked]).toEqual([true, 0])
})
