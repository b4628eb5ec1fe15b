import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { diskSpace, planRoom } from '../../../src/store/disk-space.ts'

test('a disk has room, little room, or none: in bytes and in inodes', () => {
  const inodesFree = 1e6
  expect(planRoom({ free: 1000, inodesFree }, 100, 800)).toBe('ok')
  expect(planRoom({ free: 1000, inodesFree }, 100, 801)).toBe('low')
  expect(planRoom({ free: 1000, inodesFree }, 100, 900)).toBe('low')
  expect(planRoom({ free: 1000, inodesFree }, 100, 901)).toBe('full')
  expect(planRoom({ free: 1000, inodesFree: 0 }, 100, 1)).toBe('full')
  expect(planRoom({ free: 1000, inodesFree: 1500 }, 100, 1)).toBe('low')
  expect(planRoom({ free: 1000, inodesFree: undefined }, 100, 1)).toBe('ok')
})

test('asks the disk of a path', async () => {
  const space = await diskSpace(tmpdir())
  expect(space.total).toBeGreaterThanOrEqual(space.used + space.free)
  expect(space.free).toBeGreaterThan(0)
  await expect(diskSpace('/nowhere/at/all')).rejects.toMatchObject({ code: 'DISK_FAULT' })
})
