// A small image that replication has asked for already: a reader has it sent no second time.

import { expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { ComingBlobs } from '../../../src/blob-sync/coming-blobs.ts'
import { SmallFromHolders } from '../../../src/flows/small-from-holders.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { openMemoryNode } from '../../support/memory-node.ts'

test('what was kept and never was in memory is not asked for again', async () => {
  const node = await openMemoryNode()
  const coming = new ComingBlobs()
  const asked: string[] = []
  const small = new SmallFromHolders({
    flows: { clock: new ManualClock(), store: node.store },
    coming,
    lines: { patienceMs: () => 1000 },
    *holders() {
      yield { peerId: 'other', isLast: true }
      return undefined
    },
    stageFrom: async (peerId) => {
      asked.push(peerId)
      return undefined
    },
    keep: async () => true
  })
  const hash = 'a'.repeat(64) as ContentHash
  coming.begin(hash, 'p')
  const { come, kept } = small.get(hash, 5)
  // a lane was opened meanwhile, and another thread has written it
  coming.end(hash, true)
  expect([await come, await kept]).toEqual([undefined, 'p'])
  expect(asked).toEqual([])
  await node.close()
})
