import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { countFiles, fileCounter } from '../../../src/store/count-files.ts'
import { temporaryFolder } from '../../support/data-folder.ts'

vi.mock('node:fs/promises', { spy: true })

let root: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  root = temporaryFolder()
})
afterEach(() => root.remove())

const write = (name: string, content = 'x') => writeFileSync(join(root.path, name), content)

test('counts the files of a flat folder', async () => {
  write('a')
  write('b', 'yyy')
  mkdirSync(join(root.path, 'd'))
  write('d/c')
  expect(await countFiles(root.path)).toEqual({ files: 2, bytes: 4 })
})

test('files are counted anew when their folder has changed, and when that is not certain', async () => {
  const counter = fileCounter({ clock: systemClock }, root.path)
  const count = async () => (await counter()).files
  write('a.jpg')
  expect(await count()).toBe(1)
  write('b.jpg')
  expect(await count()).toBe(2)
  const beforeS = Date.now() / 1000 - 10 // as if nothing had been written since
  utimesSync(root.path, beforeS, beforeS)
  expect(await count()).toBe(2)
  vi.mocked(opendir).mockClear()
  expect([await count(), vi.mocked(opendir).mock.calls.length]).toEqual([2, 0])
  rmSync(join(root.path, 'a.jpg'))
  expect([await count(), vi.mocked(opendir).mock.calls.length]).toEqual([1, 1])
})
