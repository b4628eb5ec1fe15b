import { expect, test } from 'vitest'
import { MeshStatus, type MeshStatusParts } from '../../../src/mesh/mesh-status.ts'
import { ManualClock } from '../../support/manual-clock.ts'

test('no timer outlives the answers of the others, nor a client that goes away', async () => {
  const clock = new ManualClock()
  const answers = Promise.withResolvers<void>()
  const parts = { flows: { clock }, indexSync: { askAll: () => answers.promise } }
  const status = new MeshStatus(parts as unknown as MeshStatusParts, { fetchAll: true })
  const client = new AbortController()
  const left = status.hear(3000, client.signal)
  const heard = status.hear(3000, new AbortController().signal)
  expect(clock.pending).toBe(2)
  client.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  answers.resolve()
  await heard
  expect(clock.pending).toBe(0)
})
