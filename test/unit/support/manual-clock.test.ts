import { expect, test } from 'vitest'
import { ManualClock } from '../../support/manual-clock.ts'
import { microtasks } from '../../support/microtasks.ts'

const work = async () => {
  await microtasks(10)
  return 'done'
}

test('what needs no time is waited for, also where nothing has begun it but an event', async () => {
  const clock = new ManualClock()
  const result = await new Promise((resolve, reject) => {
    setImmediate(() => clock.run(work).then(resolve, reject))
  })
  expect(result).toBe('done')
  expect(await clock.run(work)).toBe('done')
})
