import { chmodSync, lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import type { Folder } from '../../../src/store/folder.ts'
import { DiskFoundFiles } from '../../../src/store/found-files.ts'
import { makeTestFolder, temporaryFolder } from '../../support/data-folder.ts'

vi.mock('node:fs', { spy: true })

let root: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  root = temporaryFolder()
  writeFileSync(join(root.path, 'a.jpg'), 'x')
  vi.mocked(lstatSync).mockClear()
})
afterEach(() => root.remove())

/** A disk on which each look takes so long. */
function foundFiles(lookMs: number): DiskFoundFiles {
  let nowMs = 0
  const clock = { ...systemClock, monotonicMs: () => (nowMs += lookMs) }
  const folder = { images: root.path } as Folder
  return new DiskFoundFiles({ folder, log: silentLog, clock }, [])
}

test.each([
  ['holds up nobody while the disk is fast', 0.01, 100],
  ['holds up the others twice, then goes another way, where it is slow', 20, 2]
])('a look at a file %s', async (_, lookMs, heldUp) => {
  const found = foundFiles(lookMs)
  for (let n = 0; n < 100; n++) expect(await found.look('a.jpg')).toMatchObject({ size: 1 })
  expect(lstatSync).toHaveBeenCalledTimes(heldUp)
})

test.each([-3_600_000, 0, 3_600_000])(
  'knows that the clock of the disk is %i ms ahead',
  async (ms) => {
    const { folder, remove } = await makeTestFolder()
    onTestFinished(remove)
    const clock = { ...systemClock, now: () => systemClock.now() - ms }
    const found = new DiskFoundFiles({ folder, log: silentLog, clock }, [])
    found.prepare()
    expect(Math.round(found.aheadMs / 60_000)).toBe(ms / 60_000)
  }
)

test('a disk on which there is nothing to take in is left to sleep', async () => {
  const { folder, remove } = await makeTestFolder()
  onTestFinished(remove)
  const found = new DiskFoundFiles({ folder, log: silentLog, clock: systemClock }, [])
  vi.mocked(chmodSync).mockClear()
  found.prepare()
  expect(chmodSync).not.toHaveBeenCalled()
  expect([found.aheadMs, found.aheadMs]).toEqual([0, 0])
  expect(chmodSync).toHaveBeenCalledTimes(1)
})

test('whoever looks at a name hears why it can not be done', async () => {
  const found = foundFiles(0)
  const heard: string[] = []
  const name = 'n'.repeat(300)
  expect(await found.look(name, (one, why) => heard.push(`${one}: ${why}`))).toBeUndefined()
  expect(await found.look('absent.jpg', (one) => heard.push(one))).toBeUndefined()
  expect(heard).toEqual([`${name}: it can't be read (ENAMETOOLONG)`])
})
