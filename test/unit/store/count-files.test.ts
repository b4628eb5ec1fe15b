import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { countFiles, fileCounter } from '../../../src/store/count-files.ts'
import { temporaryFolder } from '../../support/data-folder.ts'

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
  const clock = { ...systemClock, monotonicMs: () => 0 }
  const counter = fileCounter({ clock }, root.path)
  const count = async () => (await counter()).files
  write('a.jpg')
  expect(await count()).toBe(1)
  write('b.jpg')
  expect(await count()).toBe(2)
  // as if nothing had been written since
  const date = (agoS: number) => {
    const atS = Math.floor(Date.now() / 1000) - agoS
    utimesSync(root.path, atS, atS)
    return () => utimesSync(root.path, atS, atS)
  }
  const again = date(20)
  expect(await count()).toBe(2)
  write('c.jpg')
  again()
  expect(await count(), 'a folder of the same date is not read').toBe(2)
  date(10)
  expect(await count()).toBe(3)
  rmSync(join(root.path, 'a.jpg'))
  expect(await count()).toBe(2)
})

test('what took long to count is not counted again before it has rested', async () => {
  let [nowMs, lookMs] = [0, 0]
  const clock = { ...systemClock, monotonicMs: () => (nowMs += lookMs) }
  const counter = fileCounter({ clock }, root.path)
  const count = async () => (await counter()).files
  write('a.jpg')
  lookMs = 1000
  expect(await count()).toBe(1)
  lookMs = 0
  write('b.jpg')
  expect(await count()).toBe(1)
  nowMs += 60_000
  expect(await count()).toBe(2)
  write('c.jpg')
  expect(await count()).toBe(3)
})
