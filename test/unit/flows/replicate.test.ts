import { hash as digest } from 'node:crypto'
import { expect, test } from 'vitest'
import type { BlobAnswer } from '../../../protocols/blobs/request.ts'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { STATUS } from '../../../protocols/status.ts'
import { BlobPeers } from '../../../src/blob-sync/blob-peers.ts'
import { WantBook } from '../../../src/blob-sync/want-book.ts'
import { Replicator } from '../../../src/flows/replicate.ts'
import { eventually } from '../../support/eventually.ts'
import { openMemoryNode, tinyImage } from '../../support/memory-node.ts'

const hashOf = (bytes: Uint8Array) => digest('sha256', bytes) as ContentHash

test('an old image arrives although a thousand newer ones are nowhere to be had', async () => {
  const { flows, close } = await openMemoryNode()
  const { index, clock, random } = flows
  const images = Array.from({ length: 1200 }, (_, n) => tinyImage(n))
  await index.change((tx) => {
    for (const [n, bytes] of images.entries()) {
      const path = parsePath(`${n}.svg`)
      const about = { bytes: bytes.length, mediaType: 'image/svg+xml', createdMs: 1 }
      tx.putImage({ path, hash: hashOf(bytes), md5: digest('md5', bytes) as Md5, ...about })
    }
  })
  const [oldest] = images as [Buffer, ...Buffer[]]
  const fetch = async (
    _peer: string,
    items: readonly { hash: ContentHash; offset: number }[],
    onBlob: (answer: BlobAnswer) => Promise<void>
  ) => {
    for (const item of items) {
      const has = item.hash === hashOf(oldest)
      const body = (async function* () {
        if (has) yield oldest
      })()
      const status = has ? STATUS.OK : STATUS.MISSING
      await onBlob({ ...item, status, length: has ? oldest.length : 0, body })
    }
  }
  const peer = { id: 'p', address: '/memory/p', dialled: true, sinceMs: 0 }
  const open = () => Promise.reject(new Error('not in this test'))
  const network = { peers: () => [peer], open }
  class Peers extends BlobPeers {
    override fetch = fetch
  }
  const replicator = new Replicator(
    {
      flows,
      network,
      peers: new Peers({ network, clock }),
      book: new WantBook({ clock, random }, { maxRetryAttempts: 3, retryDelayMs: 1e6 }),
      believes: () => false
    },
    { batchSize: 10, fetchAll: true, syncTimeoutMs: 1000 }
  )
  replicator.wake()
  await eventually(() => expect(index.blob(hashOf(oldest))?.state).toBe('held'))
  await replicator.stop()
  await close()
})
