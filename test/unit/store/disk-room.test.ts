import { tmpdir } from 'node:os'
import { beforeEach, expect, test } from 'vitest'
import { DiskRoom } from '../../../src/store/disk-room.ts'
import { diskSpace } from '../../../src/store/disk-space.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** Far more than others write on the disk meanwhile. */
const MUCH = 10 ** 10
const full = expect.objectContaining({ code: 'DISK_FULL' })

let clock: ManualClock
let room: DiskRoom
beforeEach(async () => {
  clock = new ManualClock()
  const path = tmpdir()
  const { free } = await diskSpace(path)
  const reserve = { bytes: free - 5 * MUCH, share: undefined }
  room = await DiskRoom.open({ clock }, { path, reserve })
})

test('what is asked for must fit above the reserve, what is taken is gone', () => {
  for (const bytes of [4 * MUCH, 4 * MUCH, 0]) room.demand(bytes)
  expect(() => room.demand(6 * MUCH)).toThrow(full)
  room.take(3 * MUCH)
  room.demand(MUCH)
  expect(() => room.take(3 * MUCH)).toThrow(full)
  room.take(MUCH) // what was refused was not taken
})

test('what was taken counts until the disk is asked again', async () => {
  room.take(4 * MUCH)
  clock.advance(999)
  expect(() => room.demand(2 * MUCH)).toThrow(full)
  await room.measure()
  room.demand(2 * MUCH)
})

test('old figures are asked for anew', async () => {
  room.take(4 * MUCH)
  clock.advance(1000)
  expect(() => room.demand(2 * MUCH)).toThrow(full) // not waited for
  await expect.poll(() => room.demand(2 * MUCH)).toBeUndefined()
})

test('the status says what is free and what is kept', () => {
  const { total, used, free, reserved, state } = room.status()
  expect(state).not.toBe('full')
  expect(total).toBeGreaterThanOrEqual(used + free)
  expect(Math.abs(free - reserved - 5 * MUCH)).toBeLessThan(MUCH)
})
