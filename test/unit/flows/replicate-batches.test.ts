import { expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
import { sha256 } from '../../support/digests.ts'
import { eventually } from '../../support/eventually.ts'
import { MemoryBlobSource } from '../../support/memory-blob-source.ts'
import { openReplication } from '../../support/replication.ts'

test('a batch that is set larger than a request may be is cut into several', async () => {
  const { node, network, peers, replicator, close } = await openReplication({ batchSize: 1000 })
  const source = new MemoryBlobSource()
  network.add('p', source)
  for (let n = 0; n < 300; n++) {
    const bytes = testBytes(100, n + 1)
    source.add(bytes)
    await want(node, `${n}.png`, bytes)
  }
  replicator.wake()
  await eventually(() => expect(node.flows.index.counts().wants).toBe(0))
  const { owedBytes, restsUntilMs } = peers.state('p')
  expect([owedBytes, restsUntilMs]).toEqual([0, 0])
  await close()
})

test('hundreds of new images that are told of one by one break no stream', async () => {
  const { node, network, peers, replicator, close } = await openReplication()
  const source = new MemoryBlobSource()
  const gate = Promise.withResolvers<void>()
  const open = source.open.bind(source)
  source.open = (hash) => gate.promise.then(() => open(hash))
  network.add('p', source)
  const failed: string[] = []
  peers.failed = (id) => failed.push(id)
  for (let n = 0; n < 400; n++) {
    const bytes = testBytes(100, n + 1)
    source.add(bytes)
    const hash = await want(node, `${n}.png`, bytes)
    replicator.coming([{ hash, bytes: 100 }])
  }
  gate.resolve()
  await eventually(() => expect(node.flows.index.counts().wants).toBe(0))
  expect(failed).toEqual([])
  await close()
})

test('of very small images not any number is asked for ahead', async () => {
  const { network, peers, replicator, clock, close } = await openReplication()
  const source = new MemoryBlobSource()
  source.open = () => new Promise(() => {})
  network.add('p', source)
  for (let n = 0; n < 2500; n++) {
    const hash = sha256(testBytes(4, n + 1)) as ContentHash
    replicator.coming([{ hash, bytes: 4 }])
  }
  expect(replicator.inFlight.size).toBe(2048)
  await eventually(() => {
    clock.advance(30_000)
    expect(peers.state('p').owedBytes).toBe(0)
  })
  await close()
})
