// What every store of blobs does, on a disk and in memory.

import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { type ContentHash, parseHash } from '../../protocols/hash.ts'
import { type BlobStore, type OpenBlob, SMALL_BLOB_BYTES_MAX } from '../../src/store/blob-store.ts'
import { hashesOf } from '../../src/store/hashes.ts'
import { expectSame, STORES, type StoreHarness } from '../support/blob-stores.ts'
import { collect, streamOf, testBytes } from '../support/data-folder.ts'

function wholeOf(blob: OpenBlob | undefined): Uint8Array | undefined {
  const whole = blob && new Uint8Array(blob.bytes)
  if (whole !== undefined) blob?.readInto(whole)
  return whole
}

const KIB = 1024
const BYTES_MAX = 1024 * KIB
const ABSENT = parseHash('0'.repeat(64))

async function put(store: BlobStore, bytes: Uint8Array): Promise<ContentHash> {
  const staged = await store.stage(streamOf(bytes), { bytesMax: BYTES_MAX })
  await store.publish(staged)
  store.finish(staged)
  return staged.hash
}

let harness: StoreHarness | undefined
afterEach(() => {
  harness?.remove()
  harness = undefined
})

describe.each(STORES)('a store of blobs (%s)', (_kind, open) => {
  const make = async () => {
    harness = await open()
    return harness
  }

  // Around the piece of a source, the limit of what is kept in memory, and the most that is taken.
  test.each([
    0,
    1,
    64 * KIB - 1,
    64 * KIB,
    64 * KIB + 1,
    SMALL_BLOB_BYTES_MAX - 1,
    SMALL_BLOB_BYTES_MAX,
    SMALL_BLOB_BYTES_MAX + 1,
    BYTES_MAX
  ])('gives back %i bytes as they came', async (length) => {
    const { store, temporary } = await make()
    const bytes = testBytes(length)
    const staged = await store.stage(streamOf(bytes), { bytesMax: BYTES_MAX })
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const md5 = createHash('md5').update(bytes).digest('hex')
    expect([staged.hash, staged.md5, staged.bytes]).toEqual([sha256, md5, length])
    expectSame(staged.head, bytes.subarray(0, 64 * KIB))
    expect(staged.whole === undefined).toBe(length > SMALL_BLOB_BYTES_MAX)
    expectSame(Buffer.concat(await Array.fromAsync(store.read(staged))), bytes)

    const stamp = await store.publish(staged)
    expect(stamp.size).toBe(length)
    expect(store.stamp(staged.hash)).toEqual(stamp)
    store.finish(staged)
    expect(store.stamp(staged.hash)).toEqual(stamp)
    expect(temporary()).toEqual([])

    const blob = store.open(staged.hash)
    expect(blob).toMatchObject({ stamp, bytes: length })
    if (length <= SMALL_BLOB_BYTES_MAX) expectSame(wholeOf(blob), bytes)
    expectSame(await collect(blob?.read(0, length)), bytes)
    blob?.close()
    expect(await store.rehash(staged.hash)).toEqual({ hash: sha256, bytes: length, stamp })
  })

  test('refuses one byte more than the most, and keeps nothing of it', async () => {
    const { store, temporary } = await make()
    const options = { bytesMax: BYTES_MAX }
    const staging = store.stage(streamOf(testBytes(BYTES_MAX + 1)), options)
    await expect(staging).rejects.toMatchObject({ code: 'BLOB_TOO_LARGE' })
    expect(temporary()).toEqual([])
    await expect(store.stage(streamOf(testBytes(2)), { bytesMax: 1 })).rejects.toThrow('larger')
  })

  test('lists what has a file, wherever it is', async () => {
    const { store } = await make()
    const hashes: ContentHash[] = []
    for (const length of [1, 20, 300]) {
      const staged = await store.stage(streamOf(testBytes(length)), { bytesMax: BYTES_MAX })
      hashes.push(staged.hash)
      if (length > 1) await store.publish(staged)
      store.finish(staged)
    }
    await store.moveTo(hashes[2] as ContentHash, 'trash')
    const listed: ContentHash[] = []
    for await (const hash of store.list()) listed.push(hash)
    expect(listed.sort()).toEqual(hashes.slice(1).sort())
  })

  test('takes a source of single bytes, and one that uses its buffer again', async () => {
    const { store } = await make()
    const bytes = testBytes(70_000)
    const one = new Uint8Array(1)
    async function* single() {
      for (const byte of bytes) {
        one[0] = byte
        yield one
      }
    }
    const staged = await store.stage(single(), { bytesMax: BYTES_MAX })
    expect(staged.hash).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  test.each([10, SMALL_BLOB_BYTES_MAX * 2])(
    'passes on the error of a source that fails after %i bytes, and keeps nothing',
    async (length) => {
      const { store, temporary } = await make()
      const fault = new Error('connection lost')
      async function* failing() {
        yield* streamOf(testBytes(length))
        throw fault
      }
      await expect(store.stage(failing(), { bytesMax: BYTES_MAX })).rejects.toBe(fault)
      expect(temporary()).toEqual([])
    }
  )

  test.each([10, SMALL_BLOB_BYTES_MAX * 2])(
    'stops at once when it is aborted after %i bytes, though the source hangs',
    async (length) => {
      const { store, temporary } = await make()
      const abort = new AbortController()
      const reason = new Error('client gone')
      async function* hanging() {
        yield* streamOf(testBytes(length))
        queueMicrotask(() => abort.abort(reason))
        await new Promise(() => {})
      }
      const options = { bytesMax: BYTES_MAX, signal: abort.signal }
      await expect(store.stage(hanging(), options)).rejects.toBe(reason)
      expect(temporary()).toEqual([])
      await expect(store.stage(streamOf(testBytes(1)), options)).rejects.toBe(reason)
    }
  )

  test('ends the source when it stops taking it', async () => {
    const { store } = await make()
    let ended = false
    async function* endless() {
      try {
        while (true) yield testBytes(1000)
      } finally {
        ended = true
      }
    }
    await expect(store.stage(endless(), { bytesMax: 5000 })).rejects.toThrow()
    expect(ended).toBe(true)
  })

  test('shows at the next start what was published and not finished', async () => {
    const { store, restarted, temporary } = await make()
    const small = await store.stage(streamOf(testBytes(5)), { bytesMax: BYTES_MAX })
    const large = await store.stage(streamOf(testBytes(BYTES_MAX)), { bytesMax: BYTES_MAX })
    await store.stage(streamOf(testBytes(BYTES_MAX, 2)), { bytesMax: BYTES_MAX }) // never published
    await store.publish(small)
    await store.publish(large)
    await put(store, testBytes(7))

    const next = restarted()
    const left = next.leftovers()
    expect(left.map(({ hash }) => hash).sort()).toEqual([small.hash, large.hash].sort())
    for (const leftover of left) next.removeLeftover(leftover)
    expect(next.leftovers()).toEqual([])
    expect(temporary()).toEqual([])
    expect(next.open(large.hash)?.bytes).toBe(BYTES_MAX)
  })

  test('reads any range in pieces of at most 256 KiB, and may be read again', async () => {
    const { store } = await make()
    const bytes = testBytes(BYTES_MAX)
    const blob = store.open(await put(store, bytes))
    const pieces = await Array.fromAsync(blob?.read(100, BYTES_MAX - 100) ?? [])
    expect(Math.max(...pieces.map((piece) => piece.byteLength))).toBe(256 * KIB)
    expectSame(Buffer.concat(pieces), bytes.subarray(100, BYTES_MAX - 100))
    expectSame(await collect(blob?.read(5, 6)), bytes.subarray(5, 6))
    expectSame(await collect(blob?.read(5, 5)), new Uint8Array(0))
    blob?.close()
    blob?.close()
  })

  test('two readers of one blob do not disturb each other', async () => {
    const { store } = await make()
    const bytes = testBytes(BYTES_MAX)
    const blob = store.open(await put(store, bytes))
    const [first, second] = [blob?.read(0, BYTES_MAX), blob?.read(0, BYTES_MAX)]
    for await (const _ of first ?? []) break
    expectSame(await collect(second), bytes)
    blob?.close()
  })

  test('a blob that became shorter is never passed off as whole', async () => {
    const { store, truncate } = await make()
    const hash = await put(store, testBytes(BYTES_MAX))
    const blob = store.open(hash)
    await truncate(hash, 1000)
    const reading = collect(blob?.read(0, BYTES_MAX))
    await expect(reading).rejects.toMatchObject({ code: 'DISK_FAULT' })
    blob?.close()
    expect((await store.rehash(hash))?.bytes).toBe(1000)
  })

  test('a rehash sees damage, and the stamp shows it too', async () => {
    const { store, overwrite } = await make()
    const hash = await put(store, testBytes(1000))
    const before = store.stamp(hash)
    await overwrite(hash)
    const rehash = await store.rehash(hash)
    expect(rehash?.hash).not.toBe(hash)
    const actual = await collect(store.open(hash)?.read(0, 1000))
    expect(rehash).toMatchObject(hashesOf(actual))
    expect(rehash?.stamp).toEqual(store.stamp(hash))
    expect(store.stamp(hash)).not.toEqual(before)
  })

  test('a rehash can be aborted', async () => {
    const { store } = await make()
    const hash = await put(store, testBytes(BYTES_MAX))
    expect((await store.rehash(hash))?.bytes).toBe(BYTES_MAX)
    await expect(store.rehash(hash, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
  })

  test('publishing again puts right bytes in the place of damaged ones', async () => {
    const { store, overwrite } = await make()
    const hash = await put(store, testBytes(1000))
    await overwrite(hash)
    const damaged = store.stamp(hash)
    await put(store, testBytes(1000))
    expect((await store.rehash(hash))?.hash).toBe(hash)
    expect(store.stamp(hash)?.ino).not.toBe(damaged?.ino)
  })

  test('quarantine keeps the bytes, out of reach, never over others', async () => {
    const { store, overwrite, quarantined } = await make()
    const hash = await put(store, testBytes(1000))
    await overwrite(hash)
    const first = await store.quarantine(hash)
    expect(store.open(hash)).toBeUndefined()
    expect(store.placeOf(hash)).toBeUndefined()
    expect(await store.quarantine(hash)).toBeUndefined()
    await put(store, testBytes(1000))
    const second = await store.quarantine(hash)
    expect(second).not.toBe(first)
    const differing = testBytes(1000)
    differing[0] = (differing[0] ?? 0) ^ 1
    expectSame(quarantined(first ?? ''), differing)
    expectSame(quarantined(second ?? ''), testBytes(1000))
  })

  test('moves a blob to the trash and back, any number of times', async () => {
    const { store } = await make()
    const hash = await put(store, testBytes(1000))
    const before = store.stamp(hash)
    for (let n = 0; n < 2; n++) {
      const stamp = await store.moveTo(hash, 'trash')
      expect(stamp).toMatchObject({ ino: before?.ino, mtimeMs: before?.mtimeMs, size: 1000 })
      expect([store.placeOf(hash), store.open(hash)]).toEqual(['trash', undefined])
      const inTrash = store.open(hash, 'trash')
      expect(inTrash?.stamp).toEqual(stamp)
      expectSame(wholeOf(inTrash), testBytes(1000))
      inTrash?.close()
    }
    for (let n = 0; n < 2; n++) {
      expect(await store.moveTo(hash, 'blobs')).toEqual(store.stamp(hash))
      expect([store.placeOf(hash), store.open(hash, 'trash')]).toEqual(['blobs', undefined])
    }
    expect((await store.rehash(hash))?.hash).toBe(hash)
  })

  test('of a copy in each place the one in blobs/ is kept', async () => {
    const { store } = await make()
    const hash = await put(store, testBytes(1000))
    await store.moveTo(hash, 'trash')
    await put(store, testBytes(1000))
    const newer = store.stamp(hash)?.ino
    expect((await store.moveTo(hash, 'trash'))?.ino).toBe(newer)
    await put(store, testBytes(1000))
    const newest = store.stamp(hash)?.ino
    expect((await store.moveTo(hash, 'blobs'))?.ino).toBe(newest)
    await store.remove(hash)
    expect(store.placeOf(hash)).toBeUndefined()
  })

  test('removes a blob from wherever it is; again is no error', async () => {
    const { store } = await make()
    const hash = await put(store, testBytes(10))
    await store.moveTo(hash, 'trash')
    await store.remove(hash)
    expect(store.placeOf(hash)).toBeUndefined()
    await store.remove(hash)
    await store.remove(await put(store, testBytes(11)))
  })

  test('a blob that was never there is absent everywhere, and no error', async () => {
    const { store } = await make()
    expect(store.open(ABSENT)).toBeUndefined()
    expect(store.stamp(ABSENT)).toBeUndefined()
    expect(store.placeOf(ABSENT)).toBeUndefined()
    expect(await store.rehash(ABSENT)).toBeUndefined()
    expect(await store.quarantine(ABSENT)).toBeUndefined()
    expect(await store.moveTo(ABSENT, 'trash')).toBeUndefined()
    expect(await store.moveTo(ABSENT, 'blobs')).toBeUndefined()
    await store.remove(ABSENT)
  })
})
