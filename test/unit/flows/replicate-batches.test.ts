import { expect, test } from 'vitest'
import { want } from '../../support/blob-holders.ts'
import { testBytes } from '../../support/data-folder.ts'
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
