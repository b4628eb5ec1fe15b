import { expect, test } from 'vitest'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import { md5, sha256 } from '../../support/digests.ts'
import { eventually } from '../../support/eventually.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { settled } from '../../support/microtasks.ts'
import { openReplication } from '../../support/replication.ts'

test('what is caught up with keeps to its limit, and new images do not wait for it', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const { traffic, index } = node.flows
  traffic.change({ receive_catch_up: 200_000 })
  const images = Array.from({ length: 7 }, (_, n) => {
    const bytes = testBytes(200_000)
    bytes[0] = n
    return bytes
  })
  const source = new MemoryBlobSource()
  for (const bytes of images) source.add(bytes)
  network.add('p', source)
  const old: ContentHash[] = []
  for (const [n, bytes] of images.slice(0, 5).entries()) {
    old.push(await want(node, `${n}.png`, bytes))
  }
  clock.advance(3_600_000)
  const held = (hashes: ContentHash[]) => hashes.filter((one) => index.blob(one)?.state === 'held')
  replicator.wake()
  // a second of it at once, and one image more that is owed then
  await eventually(() => expect(held(old)).toHaveLength(2))
  await settled()
  expect(held(old)).toHaveLength(2)
  const fresh = [await want(node, 'new.png', images[5] as Buffer)]
  replicator.came(fresh)
  await eventually(() => expect(held(fresh)).toHaveLength(1))
  expect(held(old)).toHaveLength(2)
  clock.advance(1000)
  await eventually(() => expect(held(old)).toHaveLength(3))
  traffic.change({ receive_catch_up: undefined })
  await eventually(() => expect(held(old)).toHaveLength(5))
  await close()
})

test('a server at its limit is left alone, and others are asked', async () => {
  const { node, network, replicator, close } = await openReplication()
  const images = Array.from({ length: 6 }, (_, n) => {
    const bytes = testBytes(200_000)
    bytes[0] = n
    return bytes
  })
  node.flows.traffic.change({ receive_remote: 100_000 })
  node.flows.traffic.isRemote = (peerId) => peerId === 'far'
  for (const name of ['far', 'near']) {
    const source = new MemoryBlobSource()
    for (const bytes of images) source.add(bytes)
    network.add(name, source)
  }
  const hashes: ContentHash[] = []
  for (const [n, bytes] of images.entries()) hashes.push(await want(node, `${n}.png`, bytes))
  replicator.wake()
  const held = () => hashes.filter((hash) => node.flows.index.blob(hash)?.state === 'held')
  await eventually(() => expect(held()).toHaveLength(6))
  expect(network.sentBytes('far')).toBeLessThan(300_000)
  await close()
})

test('what a server lacks does not count as received', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const bytes = testBytes(600_000)
  network.add('lacks', new MemoryBlobSource())
  const source = new MemoryBlobSource()
  source.add(bytes)
  network.add('whole', source)
  const hash = await want(node, 'a.png', bytes)
  clock.advance(3_600_000)
  node.flows.traffic.change({ receive_catch_up: 100_000 })
  replicator.wake()
  await eventually(() => expect(node.flows.index.blob(hash)?.state).toBe('held'))
  expect(node.flows.traffic.waitMs('catch_up')).toBeGreaterThan(0)
  await close()
})

test('what was lost comes although thousands of newer images wait for a limit', async () => {
  const { node, network, replicator, clock, close } = await openReplication()
  const { index, traffic } = node.flows
  const bytes = testBytes(5_000)
  const source = new MemoryBlobSource()
  source.add(bytes)
  network.add('p', source)
  const lost = await want(node, 'lost.png', bytes)
  await index.change((tx) => {
    tx.setBlob(lost, { state: 'missing' })
    for (let n = 0; n < 2500; n++) {
      const about = { bytes: 1000, mediaType: 'image/png', createdMs: 1 }
      const [hash, digest] = [sha256(Buffer.from(`${n}`)), md5(Buffer.from(`${n}`))]
      tx.putImage({
        path: parsePath(`${n}.png`),
        hash: hash as ContentHash,
        md5: digest as Md5,
        ...about
      })
    }
  })
  clock.advance(3_600_000)
  traffic.change({ receive_catch_up: 100_000 })
  traffic.asked('catch_up', 'p', 1e9)
  replicator.wake()
  await eventually(() => {
    clock.advance(100)
    // new images keep coming, and have it begin with the newest again
    replicator.wake()
    expect(index.blob(lost)?.state).toBe('held')
  })
  expect(index.counts().wants).toBe(2500)
  await close()
})
