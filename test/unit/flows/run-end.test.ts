import { expect, test } from 'vitest'
import { recover } from '../../../src/flows/recover.ts'
import { endRun } from '../../../src/flows/run-end.ts'
import { openMemoryNode } from '../../support/memory-node.ts'

test('a run that came to its end is told from one that was broken off', async () => {
  const node = await openMemoryNode()
  const { flows } = node
  expect(await recover(flows)).toMatchObject({ wasBrokenOff: true })
  await endRun(flows.index)
  expect(await recover(flows)).toMatchObject({ wasBrokenOff: false })
  expect(await recover(flows), 'it has begun again').toMatchObject({ wasBrokenOff: true })
  await node.close()
})

test('a node whose index takes no changes ends all the same', async () => {
  const node = await openMemoryNode()
  await recover(node.flows)
  await node.flows.index.close()
  await endRun(node.flows.index)
  await node.close()
})
