import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RotatingFile } from '../../../src/store/rotating-file.ts'
import { temporaryFolder } from '../../support/data-folder.ts'

let root: ReturnType<typeof temporaryFolder>
let folder: string
let path: string
beforeEach(() => {
  root = temporaryFolder()
  folder = root.path
  path = join(folder, 'audit.ndjson')
})
afterEach(() => root.remove())

const line = (n: number) => `${String(n).padStart(9, '0')}\n`

test('lines are added to what is there, for this user alone', async () => {
  writeFileSync(path, 'earlier\n')
  const file = new RotatingFile(path, { bytesMax: 4000 })
  await file.append('one\n')
  await file.append('two\n')
  await file.close()
  expect(readFileSync(path, 'utf8')).toBe('earlier\none\ntwo\n')
  const fresh = new RotatingFile(join(folder, 'new'), { bytesMax: 4000 })
  await fresh.append('one\n')
  await fresh.close()
  expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o600)
})

test('all files together stay below the bound, and the oldest lines go', async () => {
  const file = new RotatingFile(path, { bytesMax: 400 })
  for (let n = 0; n < 1000; n++) {
    await file.append(line(n))
    const names = readdirSync(folder)
    const bytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    expect([names.length <= 4, bytes <= 400]).toEqual([true, true])
  }
  const lines = [...file.texts()].reverse().join('').trim().split('\n').map(Number)
  expect(lines).toEqual(lines.map((_, at) => 1000 - lines.length + at))
  expect(lines.length).toBeGreaterThanOrEqual(30)
  await file.close()
})

test('a line that is longer than a file is kept all the same', async () => {
  const file = new RotatingFile(path, { bytesMax: 40 })
  await file.append(line(1))
  await file.append('x'.repeat(100))
  await file.append(line(2))
  expect([...file.texts()]).toEqual([line(2), 'x'.repeat(100), line(1)])
  await file.close()
})

test('a line that a crash or a full disk has cut takes none with it', async () => {
  writeFileSync(path, 'one\ntw')
  const file = new RotatingFile(path, { bytesMax: 4000 })
  await file.append('three\n')
  expect(readFileSync(path, 'utf8')).toBe('one\ntw\nthree\n')
  await file.close()
})

test('a folder that is gone is a fault of the disk', async () => {
  const file = new RotatingFile(join(folder, 'none', 'x'), { bytesMax: 400 })
  await expect(file.append('x')).rejects.toMatchObject({ code: 'DISK_FAULT' })
})
