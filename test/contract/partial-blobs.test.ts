// What every store does with blobs of which only the beginning is there.

import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { type ContentHash, parseHash } from '../../protocols/hash.ts'
import { type BlobStore, PARTIALS_MAX } from '../../src/store/blob-store.ts'
import { expectSame, STORES, type StoreHarness } from '../support/blob-stores.ts'
import { collect, testBytes } from '../support/data-folder.ts'

const BYTES_MAX = 1024 * 1024
const ABSENT = parseHash('0'.repeat(64))

let harness: StoreHarness | undefined
afterEach(() => {
  harness?.remove()
  harness = undefined
})

describe.each(STORES)('partial blobs (%s)', (_kind, open) => {
  const make = async () => {
    harness = await open()
    return harness
  }

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
      expectSame(Buffer.concat(await Array.fromAsync(next.read(nameless))), bytes)
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

  test('takes no bytes for right that were changed while nobody had the partial blob open', async () => {
    const { store, damagePartial, temporary } = await make()
    const bytes = testBytes(BYTES_MAX)
    const hash = await putPart(store, bytes, 300_000)
    damagePartial(hash)
    const partial = await store.openPartial(hash, BYTES_MAX)
    await partial.append([bytes.subarray(partial.bytesDone)])
    expect(partial.complete()).toBeUndefined()
    partial.close()
    expect(temporary()).toEqual([])
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
})
