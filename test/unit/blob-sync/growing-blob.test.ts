import { expect, test } from 'vitest'
import { type ContentHash, parseHash } from '../../../protocols/hash.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { GrowingBlobs } from '../../../src/blob-sync/growing-blob.ts'
import { MemoryBlobs } from '../../../src/store/memory-blobs.ts'
import { collect, streamOf, testBytes } from '../../support/data-folder.ts'
import { sha256 } from '../../support/digests.ts'

const BYTES = testBytes(200_000)
const HASH = parseHash(sha256(BYTES))

async function begin(hash: ContentHash = HASH) {
  const store = new MemoryBlobs()
  const growing = new GrowingBlobs({ store, signal: new AbortController().signal })
  const blob = growing.enter(hash, BYTES.byteLength)
  await blob.ready
  return { store, growing, blob }
}

/** Pieces that come one by one, when they are told to. */
function gated(bytes: Uint8Array, pieceBytes: number) {
  let left = 0
  let wake = () => {}
  async function* body() {
    for await (const piece of streamOf(bytes, pieceBytes)) {
      while (left === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      left--
      yield piece
    }
  }
  const let_ = (count: number) => {
    left += count
    wake()
  }
  return { body: body(), let: let_ }
}

async function* brokenAfter(bytes: Uint8Array) {
  yield* streamOf(bytes, 10_000)
  throw new Error('the connection is lost')
}

test('readers get what has come, and the last byte when all is right', async () => {
  const { store, growing, blob } = await begin()
  const { body, let: letCome } = gated(BYTES, 50_000)
  const filling = blob.fill('p', body)
  growing.enter(HASH, BYTES.byteLength)
  const reader = blob.reader()
  const reading = reader.read(0, BYTES.byteLength)[Symbol.asyncIterator]()
  letCome(1)
  const first = (await reading.next()).value as Uint8Array
  expect(Buffer.compare(first, BYTES.subarray(0, 50_000))).toBe(0)
  expect([blob.from, blob.bytesDone]).toEqual(['p', 50_000])
  growing.enter(HASH, BYTES.byteLength)
  const range = blob.reader()
  let rangeEnded = false
  const ranging = collect(range.read(10, 20)).finally(() => {
    rangeEnded = true
  })
  letCome(2)
  await reading.next()
  expect(rangeEnded).toBe(false)
  letCome(1)
  const whole = await filling
  expect(Buffer.compare(await ranging, BYTES.subarray(10, 20))).toBe(0)
  await store.publish(whole)
  store.finish(whole)
  blob.kept(true)
  expect(growing.has(HASH)).toBe(false)
  const rest = await collect({ [Symbol.asyncIterator]: () => reading })
  expect(Buffer.compare(rest.subarray(-100_000), BYTES.subarray(-100_000))).toBe(0)
  for (const one of [reader, range]) one.close()
  blob.leave()
})

test('of bytes that are not right no reader gets the last, and nothing stays', async () => {
  const { store, growing, blob } = await begin(parseHash('ab'.repeat(32)))
  growing.enter(blob.hash, BYTES.byteLength)
  const reader = blob.reader()
  let readBytes = 0
  const reading = (async () => {
    for await (const piece of reader.read(0, BYTES.byteLength)) readBytes += piece.byteLength
  })()
  await expect(blob.fill('p', streamOf(BYTES, 10_000))).rejects.toMatchObject({ fault: 'BAD_HASH' })
  await expect(reading).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
  expect(readBytes).toBeLessThan(BYTES.byteLength)
  expect([growing.has(blob.hash), store.partials()]).toEqual([false, []])
  reader.close()
  blob.leave()
})

test('the next peer goes on where the last one broke off, and readers notice nothing', async () => {
  const { growing, blob } = await begin()
  growing.enter(HASH, BYTES.byteLength)
  const reader = blob.reader()
  const reading = collect(reader.read(0, BYTES.byteLength))
  await expect(blob.fill('p', brokenAfter(BYTES.subarray(0, 70_000)))).rejects.toThrow('lost')
  expect([blob.isResting, blob.bytesDone]).toEqual([true, 70_000])
  await blob.fill('q', streamOf(BYTES.subarray(70_000), 10_000))
  expect(Buffer.compare(await reading, BYTES)).toBe(0)
  blob.kept(false)
  reader.close()
  blob.leave()
})

test('who comes later goes on with what an earlier one has left', async () => {
  const { store, growing, blob } = await begin()
  await expect(blob.fill('p', brokenAfter(BYTES.subarray(0, 70_000)))).rejects.toThrow('lost')
  blob.leave()
  expect([growing.has(HASH), store.partials()]).toEqual([false, [HASH]])
  const later = growing.enter(HASH, BYTES.byteLength)
  await later.ready
  expect(later.bytesDone).toBe(70_000)
  later.leave()
})

test('a reader that leaves ends its own wait alone', async () => {
  const { growing, blob } = await begin()
  const readers = [0, 1].map(() => {
    growing.enter(HASH, BYTES.byteLength)
    return blob.reader()
  })
  const [first, second] = readers.map((reader) => collect(reader.read(0, BYTES.byteLength)))
  readers[0]?.close()
  expect((await first)?.byteLength).toBe(0)
  await blob.fill('p', streamOf(BYTES))
  expect(Buffer.compare((await second) as Buffer, BYTES)).toBe(0)
  readers[1]?.close()
  blob.kept(true)
  blob.leave()
})

test('a full disk ends it for all; nobody is asked in vain', async () => {
  const { store, growing, blob } = await begin()
  growing.enter(HASH, BYTES.byteLength)
  const reader = blob.reader()
  const reading = collect(reader.read(0, BYTES.byteLength))
  store.fault = new NodeError('DISK_FULL', 'The disk is full.')
  await expect(blob.fill('p', streamOf(BYTES))).rejects.toBe(store.fault)
  await expect(reading).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
  expect([blob.isOver, blob.failure, growing.has(HASH)]).toEqual([true, store.fault, false])
  reader.close()
  blob.leave()
})

test('a store that can not be written fails whoever waits', async () => {
  const store = new MemoryBlobs()
  store.fault = new NodeError('READ_ONLY', 'The marker is gone.')
  const growing = new GrowingBlobs({ store, signal: new AbortController().signal })
  const blob = growing.enter(HASH, BYTES.byteLength)
  await expect(blob.ready).rejects.toBe(store.fault)
  expect([await blob.begun(), await blob.idle(), growing.has(HASH)]).toEqual([false, false, false])
  blob.leave()
})
