import { expect, test } from 'vitest'
import { NodeError } from '../../../src/base/errors.ts'
import { MemoryBlobs } from '../../../src/store/memory-blobs.ts'
import { streamOf, testBytes } from '../../support/data-folder.ts'

const options = { bytesMax: 1000 }

async function put(store: MemoryBlobs) {
  const staged = await store.stage(streamOf(testBytes(100)), options)
  await store.publish(staged)
  store.finish(staged)
  return staged.hash
}

test('silent damage shows in the bytes only, written damage in the stamp too', async () => {
  const store = new MemoryBlobs()
  const hash = await put(store)
  const before = store.stamp(hash)
  store.damage(hash, 'silently')
  expect(store.stamp(hash)).toEqual(before)
  expect((await store.rehash(hash))?.hash).not.toBe(hash)
  store.damage(hash, 'by writing')
  expect(store.stamp(hash)?.mtimeMs).not.toBe(before?.mtimeMs)
  expect((await store.rehash(hash))?.hash).toBe(hash) // the same bit, back again
})

test('a lost blob is nowhere', async () => {
  const store = new MemoryBlobs()
  const hash = await put(store)
  await store.moveTo(hash, 'trash')
  store.lose(hash)
  expect(store.placeOf(hash)).toBeUndefined()
})

test('a fault is what every writing call says, until it is mended', async () => {
  const store = new MemoryBlobs()
  const hash = await put(store)
  const staged = await store.stage(streamOf(testBytes(50)), options)
  store.fault = new NodeError('DISK_FULL', 'full')
  const refused = { code: 'DISK_FULL' }
  await expect(store.stage(streamOf(testBytes(1)), options)).rejects.toMatchObject(refused)
  await expect(store.publish(staged)).rejects.toMatchObject(refused)
  await expect(store.moveTo(hash, 'trash')).rejects.toMatchObject(refused)
  await expect(store.remove(hash)).rejects.toMatchObject(refused)
  await expect(store.quarantine(hash)).rejects.toMatchObject(refused)
  expect(store.open(hash)?.bytes).toBe(100)
  store.fault = undefined
  await store.publish(staged)
})

test('a link changes the ctime and nothing else', async () => {
  const store = new MemoryBlobs()
  const hash = await put(store)
  const before = store.stamp(hash)
  const after = store.linked(hash)
  expect(after).toEqual({ ...before, ctimeMs: after?.ctimeMs })
  expect(after?.ctimeMs).not.toBe(before?.ctimeMs)
  expect(store.stamp(hash)).toEqual(after)
})
