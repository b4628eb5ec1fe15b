import { expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { AuditLog } from '../../../src/flows/audit.ts'
import { ManualClock } from '../../support/manual-clock.ts'

test('lines that a disk does not take are told of now and then, not each', async () => {
  const clock = new ManualClock()
  const told: unknown[] = []
  const log = { ...silentLog, error: (about: object) => told.push('lost' in about && about.lost) }
  const file = {
    append: async () => {
      throw new Error('EIO')
    },
    *texts() {},
    close: async () => {}
  }
  const audit = new AuditLog({ clock, log: log as typeof silentLog, file })
  const addAll = async (count: number) => {
    for (let n = 0; n < count; n++) {
      audit.add({ action: 'image.put', by: 'this machine' })
      await audit.flush()
    }
  }
  await addAll(3)
  expect(told).toEqual([1])
  clock.advance(60_000)
  await addAll(2)
  expect(told).toEqual([1, 4])
})
