// What fails on a full disk may be there all the same once there is room, and nobody was told.

import { expect, test } from 'vitest'
import { World } from './world.ts'

const FULL = new Error('No space left on device')

test('a member whose removal failed and is there after all is met no more', async () => {
  const world = new World(1)
  const [a, b] = [await world.add(), await world.add()]
  await world.pass(6000)
  const { life, disk } = a
  const isMet = () => life.network.peers().some(({ id }) => id === b.id)
  expect(isMet()).toBe(true)
  const writing = disk.level.failNext(FULL, { isWritten: true })
  const removing = life.mesh.remove(b.id).catch(({ code }) => code)
  await world.pass(1000)
  await writing
  expect(await removing).toBe('DISK_FULL')
  expect(isMet()).toBe(true)
  await world.run(() => a.makeRoom())
  await world.pass(1000)
  expect(isMet()).toBe(false)
  await world.stop()
})
