import { hash as digest } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { WantBook } from '../../../src/blob-sync/want-book.ts'
import { ReplicaKeeper } from '../../../src/flows/keep-replica.ts'
import { openBlob } from '../../../src/flows/read.ts'
import { recover } from '../../../src/flows/recover.ts'
import { createBlobSource } from '../../../src/flows/serve-blobs.ts'
import { verifyBlob } from '../../../src/flows/verify-blob.ts'
import { streamOf } from '../../support/data-folder.ts'
import { Death } from '../../support/death.ts'
import {
  type MemoryNode,
  makeMemoryDisk,
  openMemoryNode,
  tinyImage
} from '../../support/memory-node.ts'

function keeperOf({ flows }: MemoryNode): ReplicaKeeper {
  const book = new WantBook(flows, { maxRetryAttempts: 3, retryDelayMs: 1000 })
  return new ReplicaKeeper({ flows, book })
}

const BYTES = tinyImage(1)
const HASH = digest('sha256', BYTES) as ContentHash

test.each(['comes', 'is found again'])(
  'a blob that %s is shown, also if the node dies before it shows it',
  async (how) => {
    const disk = await makeMemoryDisk()
    const death = new Death()
    const dying = await openMemoryNode({ disk, wrap: death.wrap })
    const { store, index } = dying.flows
    const about = { md5: digest('md5', BYTES) as Md5, bytes: BYTES.length, mediaType: 'x' }
    await index.change((tx) => {
      tx.putImage({ path: parsePath('a.svg'), hash: HASH, createdMs: 1, ...about })
    })
    await dying.flows.settler.settleAll()
    await dying.flows.settler.idle()
    const staged = await store.stage(streamOf(BYTES), { bytesMax: 1000 })
    death.comeAfter(2) // the two sides of the next step
    if (how === 'comes') void keeperOf(dying).keepNow(staged)
    else {
      await disk.store.publish(staged)
      void verifyBlob(dying.flows, HASH)
    }
    await death.coming
    expect([index.blob(HASH)?.state, disk.view.at('a.svg')]).toEqual(['held', undefined])
    const node = await openMemoryNode({ disk })
    await recover(node.flows)
    expect(disk.view.at('a.svg')).toBe(HASH)
    await node.close()
  }
)

test('a blob can be read from when it has its name, and is held when it is durable', async () => {
  const node = await openMemoryNode()
  const { flows, store } = node
  const { index } = flows
  const about = { md5: digest('md5', BYTES) as Md5, bytes: BYTES.length, mediaType: 'x' }
  await index.change((tx) => {
    tx.putImage({ path: parsePath('a.svg'), hash: HASH, createdMs: 1, ...about })
  })
  const durable = Promise.withResolvers<void>()
  const { publish } = store
  store.publish = async (...given) => {
    const stamp = await publish.apply(store, given)
    await durable.promise
    return stamp
  }
  const keeping = keeperOf(node).keepNow(store.stageWhole(BYTES))
  const read = await openBlob(flows, HASH)
  expect(Buffer.concat(await Array.fromAsync(read?.blob.read(0, BYTES.length) ?? []))).toEqual(
    BYTES
  )
  expect(index.blob(HASH)?.state).toBe('wanted')
  expect(await createBlobSource(flows).have(HASH)).toBe(false)
  durable.resolve()
  expect(await keeping).toBe(true)
  expect([index.blob(HASH)?.state, flows.settler.arrivals.stamp(HASH)]).toEqual(['held', undefined])
  await node.close()
})

test('blobs that are durable at the same time are written down in one batch', async () => {
  const node = await openMemoryNode()
  const { flows, store } = node
  const images = Array.from({ length: 20 }, (_, n) => tinyImage(n))
  const hashes = images.map((bytes) => digest('sha256', bytes) as ContentHash)
  await flows.index.change((tx) => {
    for (const [n, bytes] of images.entries()) {
      const about = { bytes: bytes.length, mediaType: 'x', createdMs: 1 }
      const md5 = digest('md5', bytes) as Md5
      tx.putImage({ path: parsePath(`${n}.svg`), hash: hashes[n] as ContentHash, md5, ...about })
    }
  })
  const { revision } = flows.index
  const keeper = keeperOf(node)
  const kept = images.map((bytes) => keeper.keepNow(store.stageWhole(bytes)))
  expect(await Promise.all(kept)).not.toContain(false)
  await flows.settler.idle()
  // one for what is held, and one for what is shown, or two where settling began in between
  expect(flows.index.revision - revision).toBeLessThanOrEqual(3)
  expect(images.map((_, n) => node.view.at(`${n}.svg`))).toEqual(hashes)
  await node.close()
})

test('bytes whose row could not be written go when the image is deleted', async () => {
  const node = await openMemoryNode()
  const { store, index, settler } = node.flows
  const path = parsePath('a.svg')
  const about = { md5: digest('md5', BYTES) as Md5, bytes: BYTES.length, mediaType: 'x' }
  await index.change((tx) => {
    tx.putImage({ path, hash: HASH, createdMs: 1, ...about })
  })
  const staged = await store.stage(streamOf(BYTES), { bytesMax: 1000 })
  const { change } = index
  index.change = () => Promise.reject(new NodeError('READ_ONLY', 'The marker is gone.'))
  await expect(keeperOf(node).keepNow(staged)).rejects.toMatchObject({ code: 'READ_ONLY' })
  index.change = change
  store.finish(staged)
  expect(store.placeOf(HASH)).toBe('blobs')
  await index.change((tx) => tx.deleteImage(path))
  await settler.settleAll()
  expect(store.placeOf(HASH)).toBeUndefined()
  await node.close()
})
