// Whatever happens at the same time, the index, the blobs and the view agree once it is quiet.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reshow } from '../../src/flows/reshow.ts'
import { verifyBlob } from '../../src/flows/verify-blob.ts'
import { openMemoryNode } from '../support/memory-node.ts'
import { faultsOf, HASHES, randomRounds, take } from '../support/random-flows.ts'

const CONTROL = { signal: new AbortController().signal, total: () => {}, processed: () => {} }

test('flows side by side leave index, blobs and view in agreement', async () => {
  await fc.assert(
    fc.asyncProperty(randomRounds({ harm: true }), async (rounds) => {
      const node = await openMemoryNode()
      for (const steps of rounds) await Promise.all(steps.map((step) => take(node, step)))
      // what was lost or damaged and not looked at since is found now
      for (const hash of HASHES) await verifyBlob(node.flows, hash)
      node.view.isOn = true
      await reshow(node.flows, 'on', CONTROL)
      await node.flows.settler.settleAll()
      await node.flows.settler.idle()
      expect(await faultsOf(node, { harm: true })).toEqual([])
      expect(node.view.setAside).toEqual([])
      await node.close()
    }),
    { numRuns: Number(process.env.RUNS ?? 300) }
  )
})
