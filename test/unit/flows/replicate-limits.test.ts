import { expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
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
