// The thread for bulk bytes, a real one, on a lane to a node that serves blobs.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KNOWN_PACKINGS } from '../../protocols/blobs/packing.ts'
import { blobsProtocol } from '../../protocols/blobs/serve.ts'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { silentLog } from '../../src/base/log.ts'
import type { DirectTake } from '../../src/blob-sync/direct-line.ts'
import { IntakeThread, type ThreadLane } from '../../src/flows/intake-thread.ts'
import type { NamelessBlob } from '../../src/store/blob-store.ts'
import type { DiskBlobs } from '../../src/store/disk-blobs.ts'
import { blobFile } from '../../src/store/folder.ts'
import { makeTestFolder, type TestFolder, testBytes } from '../support/data-folder.ts'
import { sha256 } from '../support/digests.ts'
import { eventually } from '../support/eventually.ts'
import { LanePair } from '../support/lane-ends.ts'
import { MemoryBlobSource } from '../support/memory-blob-source.ts'
import { never } from '../support/network-talks.ts'

const PROGRAM = new URL('../../src/lane-thread.js', import.meta.url)

/** Remembers what became of everything. */
class Seen implements DirectTake {
  readonly blobs: NamelessBlob[] = []
  readonly lacks: ContentHash[] = []
  readonly sizes: number[] = []
  readonly verdicts: boolean[] = []
  saved = 0
  came(blob: NamelessBlob, saved: number) {
    this.blobs.push(blob)
    this.saved += saved
  }
  lacking(hash: ContentHash) {
    this.lacks.push(hash)
  }
  grown(_hash: ContentHash, bytesDone: number, saved: number) {
    this.sizes.push(bytesDone)
    this.saved += saved
  }
  whole(_hash: ContentHash, isRight: boolean) {
    this.verdicts.push(isRight)
  }
}

let source: MemoryBlobSource
let serve: (stream: ByteStream, peerId: string) => Promise<void>
let pair: LanePair
let disk: TestFolder
let store: DiskBlobs
let thread: IntakeThread
let seen: Seen
let saved: number
beforeEach(async () => {
  saved = 0
  const onSaved = (bytes: number) => {
    saved += bytes
  }
  source = new MemoryBlobSource()
  serve = (stream, peerId) => blobsProtocol.serve(stream, source, peerId)
  pair = await new LanePair((stream, peerId) => serve(stream, peerId)).start()
  disk = await makeTestFolder()
  store = disk.store()
  thread = new IntakeThread(
    { log: silentLog, adopt: (file, by) => store.adopt(file, by), onSaved },
    { program: PROGRAM, folder: disk.folder.temp, tag: 'test', packings: KNOWN_PACKINGS }
  )
  seen = new Seen()
})
afterEach(async () => {
  await pair.stop()
  await eventually(() => expect(pair.a.lanes.count()).toBe(0))
  disk.remove()
})

const open = (onMoved = () => {}): Promise<ThreadLane> =>
  pair.a.lanes.openBy('b', (about, signal) => thread.dial(about, onMoved, signal), never)

const itemOf = (bytes: Uint8Array) => {
  return { hash: sha256(bytes) as ContentHash, offset: 0, bytes: bytes.byteLength }
}

test('small blobs come whole, sealed, and can be published; what is lacking is told', async () => {
  const lane = await open()
  const all = [0, 1, 100_000, 262_144].map((length, n) => testBytes(length, n + 1))
  for (const bytes of all) source.add(bytes)
  const lost = itemOf(testBytes(50, 99))
  await lane.fetch([...all.map(itemOf), lost, itemOf(all[2] as Uint8Array)], seen)
  expect(seen.lacks).toEqual([lost.hash])
  expect(seen.blobs.map(({ bytes }) => bytes)).toEqual([0, 1, 100_000, 262_144, 100_000])
  expect(disk.names('temp')).toHaveLength(5)
  for (const [at, blob] of seen.blobs.entries()) {
    const read = Buffer.concat(await Array.fromAsync(store.read(blob)))
    expect(read).toEqual(Buffer.from(all[at] ?? (all[2] as Uint8Array)))
    const file = blobFile(disk.folder, 'blobs', blob.hash)
    const stamp = await store.publish(blob, { isNamed: true })
    store.finish(blob)
    expect([stamp, statSync(file).mode & 0o777]).toEqual([store.stamp(blob.hash), 0o444])
    expect(readFileSync(file)).toEqual(Buffer.from(all[at] ?? (all[2] as Uint8Array)))
  }
  expect(disk.names('temp')).toEqual([])
  const overhead = pair.a.counters.get('b').bytesIn - 462_145
  expect(overhead).toBeGreaterThan(0)
  expect(overhead).toBeLessThan(200)
  lane.end()
})

test('what is given up is gone, and a thread that has ended does not keep what it handed over', async () => {
  const lane = await open()
  const bytes = testBytes(5000)
  source.add(bytes)
  const [kept, left] = [new Seen(), new Seen()]
  await lane.fetch([itemOf(bytes)], left)
  await lane.fetch([itemOf(bytes)], kept)
  store.finish(left.blobs[0] as NamelessBlob)
  lane.abort(new Error('enough'))
  await expect(lane.fetch([itemOf(bytes)], seen)).rejects.toThrow('enough')
  await eventually(() => expect(pair.a.lanes.count()).toBe(0))
  const blob = kept.blobs[0] as NamelessBlob
  await store.publish(blob, { isNamed: true })
  store.finish(blob)
  expect([store.placeOf(blob.hash), disk.names('temp')]).toEqual(['blobs', []])
  const again = await open()
  await again.fetch([itemOf(bytes)], seen)
  store.finish(seen.blobs[0] as NamelessBlob)
})

test('a large blob is gone on with where it was, and said to be right', async () => {
  const bytes = testBytes(3_500_000)
  const { hash } = itemOf(bytes)
  source.add(bytes)
  const partial = await store.openPartial(hash, bytes.byteLength)
  await partial.append([bytes.subarray(0, 1_200_000)])
  const { file, grown } = partial.outside as NonNullable<typeof partial.outside>
  const item = { hash, offset: 1_200_000, bytes: bytes.byteLength, partial: file }
  const lane = await open()
  await lane.fetch([item], seen)
  expect([seen.verdicts, seen.sizes.at(-1)]).toEqual([[true], bytes.byteLength])
  expect(seen.sizes.length).toBeGreaterThan(2)
  grown(bytes.byteLength)
  const whole = partial.complete(true) as NamelessBlob
  partial.close()
  await store.publish(whole)
  store.finish(whole)
  expect(readFileSync(blobFile(disk.folder, 'blobs', hash))).toEqual(Buffer.from(bytes))
})

test('the beginning of a large blob that was wrong makes all of it wrong', async () => {
  const bytes = testBytes(2_000_000)
  const { hash } = itemOf(bytes)
  source.add(bytes)
  const partial = await store.openPartial(hash, bytes.byteLength)
  await partial.append([testBytes(600_000, 7)])
  const item = { hash, offset: 600_000, bytes: bytes.byteLength, partial: partial.outside?.file }
  const lane = await open()
  await lane.fetch([item], seen)
  expect(seen.verdicts).toEqual([false])
  partial.close()
})

test('packed blobs come as they were, from any offset on', async () => {
  const packer = { mayPay: () => true, pack: async (block: Uint8Array) => zstdCompressSync(block) }
  serve = (stream, peerId) => blobsProtocol.serve(stream, Object.assign(source, { packer }), peerId)
  const soft = (length: number) => testBytes(length).map((byte) => byte & 7)
  const [small, large] = [soft(100_000), soft(700_000)]
  for (const bytes of [small, large]) source.add(bytes)
  const partial = await store.openPartial(itemOf(large).hash, large.byteLength)
  await partial.append([large.subarray(0, 300_001)])
  const file = partial.outside?.file as string
  const lane = await open()
  const items = [itemOf(small), { ...itemOf(large), offset: 300_001, partial: file }]
  await lane.fetch(items, seen)
  expect(seen.blobs.map(({ hash }) => hash)).toEqual([itemOf(small).hash])
  expect(seen.verdicts).toEqual([true])
  expect(saved).toBeGreaterThan(200_000)
  expect(seen.saved, 'each is told what it saved').toBe(saved)
  partial.outside?.grown(large.byteLength)
  store.finish(partial.complete(true) as NamelessBlob)
  partial.close()
  for (const blob of seen.blobs) store.finish(blob)
})

test('what came of a large blob stays where the lane breaks, and is written to no more', async () => {
  const bytes = testBytes(8_000_000)
  const { hash } = itemOf(bytes)
  source.add(bytes)
  serve = (stream) => {
    let sent = 0
    const write = async (piece: Uint8Array) => {
      sent += piece.byteLength
      if (sent > 5_000_000) throw new Error('cut off')
      await stream.write(piece)
    }
    const end = () => stream.end()
    const abort = (error: Error) => stream.abort(error)
    return blobsProtocol.serve({ source: stream.source, write, end, abort }, source, 'a')
  }
  const partial = await store.openPartial(hash, bytes.byteLength)
  const file = partial.outside?.file as string
  const lane = await open()
  const item = { hash, offset: 0, bytes: bytes.byteLength, partial: file }
  await expect(lane.fetch([item], seen)).rejects.toThrow()
  const bytesDone = seen.sizes.at(-1) as number
  expect(statSync(file).size).toBe(bytesDone)
  expect(readFileSync(file)).toEqual(Buffer.from(bytes.subarray(0, bytesDone)))
  // goes on in this thread, which has not seen the beginning
  partial.outside?.grown(bytesDone)
  await partial.append([bytes.subarray(bytesDone)])
  const whole = partial.complete() as NamelessBlob
  expect(whole.hash).toBe(hash)
  store.finish(whole)
  partial.close()
})

test('other bytes than those that were asked for break the lane, and nothing of them stays', async () => {
  const right = testBytes(30_000)
  const wrong = testBytes(30_000, 2)
  const { hash } = itemOf(right)
  const blob = await source.open(source.add(wrong))
  serve = (stream, peerId) =>
    blobsProtocol.serve(
      stream,
      { ...source, open: async () => blob, have: () => true, whenHeld: async () => true },
      peerId
    )
  const lane = await open()
  await expect(lane.fetch([{ hash, offset: 0, bytes: 30_000 }], seen)).rejects.toMatchObject({
    code: 'HASH_MISMATCH'
  })
  expect([seen.blobs, disk.names('temp')]).toEqual([[], []])
  await eventually(() => expect(pair.a.lanes.count()).toBe(0))
})

test('bytes that are no answers break the lane', async () => {
  serve = async (stream) => stream.write(Buffer.alloc(100, 0xff))
  const lane = await open()
  await expect(lane.fetch([itemOf(testBytes(10))], seen)).rejects.toThrow('varint')
})

test('what the disk fails at is told as such', async () => {
  const bytes = testBytes(1000)
  source.add(bytes)
  const lost = new IntakeThread(
    { log: silentLog, adopt: (file, by) => store.adopt(file, by) },
    { program: PROGRAM, folder: join(disk.folder.temp, 'gone'), tag: 'test', packings: 0 }
  )
  const lane = await pair.a.lanes.openBy(
    'b',
    (about, signal) => lost.dial(about, () => {}, signal),
    never
  )
  await expect(lane.fetch([itemOf(bytes)], seen)).rejects.toMatchObject({
    code: 'DISK_FAULT',
    details: { system: 'ENOENT' }
  })
})

test.each([
  ['files', 1200, 8000],
  ['bytes', 400, 262_144]
])('nothing more is read while too many %s wait to be kept', async (_what, count, bytes) => {
  const all = Array.from({ length: count }, (_, n) => testBytes(bytes, n + 1))
  for (const one of all) source.add(one)
  const lane = await open()
  const fetches = Array.from({ length: count / 100 }, (_, n) =>
    lane.fetch(all.slice(n * 100, n * 100 + 100).map(itemOf), seen)
  )
  await eventually(() => expect(lane.isFull).toBe(true))
  const sent = () => pair.b.counters.get('a').bytesOut
  let before = -1
  await eventually(() => {
    const now = sent()
    const stands = now === before
    before = now
    expect(stands).toBe(true)
  })
  expect(seen.blobs.length).toBeLessThan(count * 0.7)
  let at = 0
  for (; at < 10; at++) store.finish(seen.blobs[at] as NamelessBlob)
  expect(lane.isFull, 'the thread hears of several together').toBe(true)
  while (at < all.length) {
    await eventually(() => expect(seen.blobs.length).toBeGreaterThan(at))
    for (; at < seen.blobs.length; at++) store.finish(seen.blobs[at] as NamelessBlob)
  }
  await Promise.all(fetches)
  expect([lane.isFull, disk.names('temp')]).toEqual([false, []])
})

test('a lane goes with the connection, and all that was asked on it is told', async () => {
  serve = () => new Promise(() => {})
  const lane = await open()
  expect(pair.a.lanes.count('b')).toBe(1)
  const fetching = lane.fetch([itemOf(testBytes(10))], seen)
  const told = expect(fetching).rejects.toThrow('the peer is gone')
  pair.a.part()
  await told
  await eventually(() => expect(pair.a.lanes.count()).toBe(0))
})

test('the side that was dialled dials such a lane as well, and does without where it can not', async () => {
  const bytes = testBytes(1000)
  source.add(bytes)
  const opening = () =>
    pair.b.lanes.openBy('a', (about, signal) => thread.dial(about, () => {}, signal), never)
  const lane = await opening()
  await lane.fetch([itemOf(bytes)], seen)
  store.finish(seen.blobs[0] as NamelessBlob)
  lane.end()
  await eventually(() => expect(pair.b.lanes.count()).toBe(0))
  await pair.a.lanes.stop()
  await expect(opening()).rejects.toThrow()
})

test('a blob of another size is passed over; where that would take long the lane breaks', async () => {
  const right = testBytes(30_000)
  const near = itemOf(testBytes(40_000, 2))
  const far = itemOf(testBytes(50_000, 3))
  source.add(right)
  const sizes = new Map([
    [near.hash, 900_000],
    [far.hash, 2 ** 50]
  ])
  const openRight = source.open.bind(source)
  source.open = async (hash) => {
    const bytes = sizes.get(hash)
    if (bytes === undefined) return openRight(hash)
    const piece = testBytes(50_000)
    const read = async function* (start: number, end: number) {
      for (let at = start; at < end; at += piece.byteLength) yield piece.subarray(0, end - at)
    }
    return { bytes, read, close() {} }
  }
  const lane = await open()
  await lane.fetch([near, itemOf(right)], seen)
  expect([seen.lacks, seen.blobs.length]).toEqual([[near.hash], 1])
  await expect(lane.fetch([far, itemOf(right)], seen)).rejects.toThrow('another size')
  expect(seen.lacks).toEqual([near.hash, far.hash])
  await eventually(() => expect(pair.a.lanes.count()).toBe(0))
  for (const blob of seen.blobs) store.finish(blob)
})
