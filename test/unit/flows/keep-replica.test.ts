import { hash as digest } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { keepReplica } from '../../../src/flows/keep-replica.ts'
import { recover } from '../../../src/flows/recover.ts'
import { verifyBlob } from '../../../src/flows/verify-blob.ts'
import { streamOf } from '../../support/data-folder.ts'
import { Death } from '../../support/death.ts'
import { makeMemoryDisk, openMemoryNode, tinyImage } from '../../support/memory-node.ts'

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
    if (how === 'comes') void keepReplica(dying.flows, staged)
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
  await expect(keepReplica(node.flows, staged)).rejects.toMatchObject({ code: 'READ_ONLY' })
  index.change = change
  store.finish(staged)
  expect(store.placeOf(HASH)).toBe('blobs')
  await index.change((tx) => tx.deleteImage(path))
  await settler.settleAll()
  expect(store.placeOf(HASH)).toBeUndefined()
  await node.close()
})
