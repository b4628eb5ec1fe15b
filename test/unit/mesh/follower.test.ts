import { expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { createFollower } from '../../../src/mesh/follower.ts'
import { MICROTASKS, microtasks } from '../../support/microtasks.ts'

test.each(MICROTASKS)('looks again when told so %i steps after it began', async (steps) => {
  let looks = 0
  const settleAll = async () => {
    looks++
  }
  const follower = createFollower({ settler: { settleAll }, log: silentLog } as never)
  follower.follow()
  await microtasks(steps)
  const before = looks
  follower.follow()
  await follower.idle()
  expect(looks).toBeGreaterThan(before)
})

test('a look that failed is not repeated for ever, nor the last one', async () => {
  let looks = 0
  const settleAll = async () => {
    looks++
    throw new Error('the disk is broken')
  }
  const follower = createFollower({ settler: { settleAll }, log: silentLog } as never)
  follower.follow()
  await follower.idle()
  expect(looks).toBe(1)
})
