// What every store of blobs does, on a disk and in memory.

import { createHash } from 'node:crypto'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type ContentHash, parseHash } from '../../protocols/hash.ts'
import { type BlobStore, PARTIALS_MAX, SMALL_BLOB_BYTES_MAX } from '../../src/store/blob-store.ts'
import { blobFile } from '../../src/store/folder.ts'
import { MemoryBlobs } from '../../src/store/memory-blobs.ts'
import { collect, makeTestFolder, streamOf, testBytes } from '../support/data-folder.ts'

const KIB = 1024
const BYTES_MAX = 1024 * KIB
const ABSENT = parseHash('0'.repeat(64))

interface Harness {
  readonly store: BlobStore
  /** The same bytes after a restart of the process. */
  restarted(): BlobStore
  /** Replaces the bytes of a blob in place. */
  overwrite(hash: ContentHash): Promise<void>
  truncate(hash: ContentHash, size: number): Promise<void>
  quarantined(name: string): Uint8Array | undefined
  /** Cuts a partial blob of which nobody knows, or makes it longer. */
  resizePartial(hash: ContentHash, size: number): Promise<void>
  /** Names of temporary files. */
  temporary(): readonly string[]
}

let cleanUp: (() => void) | undefined
afterEach(() => {
  cleanUp?.()
  cleanUp = undefined
})

async function onDisk(): Promise<Harness> {
  const test = await makeTestFolder()
  cleanUp = test.remove
  const fileOf = async (hash: ContentHash) => {
    const file = blobFile(test.folder, 'blobs', hash)
    await chmod(file, 0o600)
    return file
  }
  return {
    store: test.store(),
    restarted: () => test.store(),
    overwrite: async (hash) => {
      const file = await fileOf(hash)
      const bytes = readFileSync(file)
      bytes[0] = (bytes[0] ?? 0) ^ 1
      writeFileSync(file, bytes, { flag: 'r+' })
    },
    truncate: async (hash, size) => truncateSync(await fileOf(hash), size),
    quarantined: (name) => readFileSync(join(test.folder.quarantine, name)),
    resizePartial: async (hash, size) => truncateSync(join(test.folder.temp, `${hash}.part`), size),
    temporary: () => test.names('temp')
  }
}

async function inMemory(): Promise<Harness> {
  const store = new MemoryBlobs()
  return {
    store,
    restarted: () => store,
    overwrite: async (hash) => store.damage(hash, 'by writing'),
    truncate: async (hash, size) => store.truncate(hash, size),
    quarantined: (name) => store.quarantined(name),
    resizePartial: async (hash, size) => store.resizePartial(hash, size),
    temporary: () => [...store.leftovers().map(({ name }) => name), ...store.partials()]
  }
}

async function put(store: BlobStore, bytes: Uint8Array): Promise<ContentHash> {
  const staged = await store.stage(streamOf(bytes), { bytesMax: BYTES_MAX })
  await store.publish(staged)
  store.finish(staged)
  return staged.hash
}

/** Much faster than toEqual on large buffers. */
function expectSame(actual: Uint8Array | undefined, expected: Uint8Array): void {
  expect(actual?.byteLength).toBe(expected.byteLength)
  expect(Buffer.compare(actual ?? new Uint8Array(0), expected)).toBe(0)
}

describe.each([
  ['disk', onDisk],
  ['memory', inMemory]
])('a store of blobs (%s)', (_kind, make) => {
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
    expect({ ...staged }).toMatchObject({ hash: sha256, md5, bytes: length })
    expectSame(staged.head, bytes.subarray(0, 64 * KIB))
    expect(staged.whole === undefined).toBe(length > SMALL_BLOB_BYTES_MAX)

    const stamp = await store.publish(staged)
    expect(stamp.size).toBe(length)
    expect(store.stamp(staged.hash)).toEqual(stamp)
    store.finish(staged)
    expect(store.stamp(staged.hash)).toEqual(stamp)
    expect(temporary()).toEqual([])

    const blob = store.open(staged.hash)
    expect(blob).toMatchObject({ stamp, bytes: length })
    if (length <= SMALL_BLOB_BYTES_MAX) expectSame(blob?.readAll(), bytes)
    expectSame(await collect(blob?.read(0, length)), bytes)
    blob?.close()
    expect(await store.rehash(staged.hash)).toEqual({ hash: sha256, md5, bytes: length, stamp })
  })

  test('refuses one byte more than the most, and keeps nothing of it', async () => {
    const { store, temporary } = await make()
    const options = { bytesMax: BYTES_MAX }
    const staging = store.stage(streamOf(testBytes(BYTES_MAX + 1)), options)
    await expect(staging).rejects.toMatchObject({ code: 'BLOB_TOO_LARGE' })
    expect(temporary()).toEqual([])
    await expect(store.stage(streamOf(testBytes(2)), { bytesMax: 1 })).rejects.toThrow('larger')
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

  /** As much of the bytes as a stream brought before it broke. */
  async function putPart(store: BlobStore, bytes: Uint8Array, count: number) {
    const hash = parseHash(createHash('sha256').update(bytes).digest('hex'))
    const partial = await store.openPartial(hash, bytes.byteLength)
    await partial.append([bytes.subarray(0, 10), bytes.subarray(10, count)])
    partial.close()
    return hash
  }

  test.each(['in the same process', 'after a restart'])(
    'goes on with a blob of which the beginning is here, %s',
    async (when) => {
      const { store, restarted, temporary } = await make()
      const bytes = testBytes(BYTES_MAX)
      const hash = await putPart(store, bytes, 300_000)
      const next = when === 'after a restart' ? restarted() : store
      expect(next.leftovers()).toEqual([])
      expect(next.partials()).toEqual([hash])

      const partial = await next.openPartial(hash, BYTES_MAX)
      expect([partial.hash, partial.bytes, partial.bytesDone]).toEqual([hash, BYTES_MAX, 300_000])
      expect(next.partials()).toEqual([])
      next.dropPartial(hash) // not while somebody has it open
      expectSame(await collect(partial.read(5, 300_000)), bytes.subarray(5, 300_000))
      await partial.append([bytes.subarray(300_000)])
      const nameless = partial.complete()
      expect({ ...nameless }).toMatchObject({ hash, bytes: BYTES_MAX })
      if (nameless === undefined) throw new Error('it is right')
      const stamp = await next.publish(nameless)
      next.finish(nameless)
      expectSame(await collect(partial.read(BYTES_MAX - 5, BYTES_MAX)), bytes.subarray(-5))
      partial.close()
      expect(next.stamp(hash)).toEqual(stamp)
      expect(await next.rehash(hash)).toMatchObject({ hash, stamp })
      expect([temporary(), next.partials()]).toEqual([[], []])
    }
  )

  test('keeps nothing of a partial blob that turns out to be another', async () => {
    const { store, temporary } = await make()
    const partial = await store.openPartial(ABSENT, 1000)
    await partial.append([testBytes(1000)])
    expect(partial.complete()).toBeUndefined()
    const again = await store.openPartial(ABSENT, 1000)
    partial.close()
    expect(again.bytesDone).toBe(0)
    again.close()
    expect([temporary(), store.partials()]).toEqual([[], []])
  })

  test('believes what is in the file of a partial blob, not what it remembers', async () => {
    const { store, resizePartial } = await make()
    const bytes = testBytes(BYTES_MAX)
    const hash = await putPart(store, bytes, 300_000)
    await resizePartial(hash, 200_000)
    const shorter = await store.openPartial(hash, BYTES_MAX)
    expect(shorter.bytesDone).toBe(200_000)
    await shorter.append([bytes.subarray(200_000)])
    shorter.close()
    await resizePartial(hash, BYTES_MAX + 1)
    const longer = await store.openPartial(hash, BYTES_MAX)
    expect(longer.bytesDone).toBe(0)
    longer.close()
  })

  test('reads what is there of a partial blob, and no more, until the last reader is done', async () => {
    const { store } = await make()
    const bytes = testBytes(BYTES_MAX)
    const partial = await store.openPartial(await putPart(store, bytes, 700_000), BYTES_MAX)
    const reading = partial.read(0, 700_000)[Symbol.asyncIterator]()
    const first = (await reading.next()).value as Uint8Array
    await expect(collect(partial.read(0, 700_001))).rejects.toMatchObject({ code: 'DISK_FAULT' })
    partial.close()
    expectSame(
      Buffer.concat([first, await collect({ [Symbol.asyncIterator]: () => reading })]),
      bytes.subarray(0, 700_000)
    )
  })

  test('a partial blob takes no byte too many, and none after its end', async () => {
    const { store } = await make()
    const partial = await store.openPartial(ABSENT, 10)
    await expect(partial.append([testBytes(11)])).rejects.toThrow('invariant')
    partial.close()
    await expect(partial.append([testBytes(1)])).rejects.toThrow('invariant')
  })

  test('reading a partial blob again after a restart can be aborted, and it stays', async () => {
    const { store, restarted } = await make()
    const hash = await putPart(store, testBytes(BYTES_MAX), 300_000)
    const next = restarted()
    next.leftovers()
    const aborted = AbortSignal.abort(new Error('stop'))
    await expect(next.openPartial(hash, BYTES_MAX, aborted)).rejects.toThrow('stop')
    expect(next.partials()).toEqual([hash])
    next.dropPartial(hash)
    expect(next.partials()).toEqual([])
    const fresh = await next.openPartial(hash, BYTES_MAX)
    expect(fresh.bytesDone).toBe(0)
    fresh.close()
  })

  test('keeps a bounded number of partial blobs', async () => {
    const { store, restarted } = await make()
    const hashes: ContentHash[] = []
    for (let n = 0; n < PARTIALS_MAX + 3; n++)
      hashes.push(await putPart(store, testBytes(30, n), 20))
    expect(store.partials()).toEqual(hashes.slice(3))
    const next = restarted()
    next.leftovers()
    expect(next.partials()).toHaveLength(PARTIALS_MAX)
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
    expect(rehash?.stamp).toEqual(store.stamp(hash))
    expect(store.stamp(hash)).not.toEqual(before)
  })

  test('a rehash can be aborted and says how far it is', async () => {
    const { store } = await make()
    const hash = await put(store, testBytes(BYTES_MAX))
    let seen = 0
    await store.rehash(hash, undefined, (bytes) => {
      seen += bytes
    })
    expect(seen).toBe(BYTES_MAX)
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
    }
    for (let n = 0; n < 2; n++) {
      expect(await store.moveTo(hash, 'blobs')).toEqual(store.stamp(hash))
      expect(store.placeOf(hash)).toBe('blobs')
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
