import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../../src/index/open-database.ts'
import {
  beginRun,
  endRunOf,
  isUnreadable,
  replaceUnreadable
} from '../../../src/index/unreadable-files.ts'
import { temporaryFolder } from '../../support/data-folder.ts'

let root: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  root = temporaryFolder()
})
afterEach(() => root.remove())

test('after two runs that did not end the next one has to look, and the one after it not', () => {
  expect([1, 2, 3, 4, 5, 6].map(() => beginRun(root.path))).toEqual([
    ...[false, false, true],
    ...[false, true, false]
  ])
})

test('a run that has ended begins the count anew', () => {
  beginRun(root.path)
  beginRun(root.path)
  endRunOf(root.path)
  expect(readdirSync(root.path)).toEqual([])
  expect(beginRun(root.path)).toBe(false)
})

test('one that has ended with a failed disk makes the next one look', () => {
  endRunOf(root.path, { isDoubted: true })
  expect(beginRun(root.path)).toBe(true)
})

test('what can be read stays, and a folder that is not there is none to look at', () => {
  for (const name of ['000001.ldb', 'CURRENT', 'MANIFEST-000001', 'LOG', '000002.log']) {
    writeFileSync(join(root.path, name), Buffer.alloc(name === '000001.ldb' ? 3_000_000 : 0))
  }
  mkdirSync(join(root.path, 'lost'))
  const before = readdirSync(root.path)
  expect(replaceUnreadable(root.path)).toEqual([])
  expect(readdirSync(root.path)).toEqual(before)
  expect(replaceUnreadable(join(root.path, 'none'))).toEqual([])
  expect(beginRun(join(root.path, 'none'))).toBe(false)
})

test('is told from other errors by the words of the database', () => {
  const cause = new Error('IO error: /x/MANIFEST-000004: Input/output error')
  expect(isUnreadable(new Error('Database failed to open', { cause }))).toBe(true)
  expect(isUnreadable(new Error('Corruption: bad block'))).toBe(false)
})

test('a disk that takes no change any more keeps no database from being closed', async () => {
  const folder = join(root.path, 'index')
  const database = await openDatabase(folder)
  mkdirSync(join(folder, 'RUNS'))
  await database.close()
  expect(existsSync(join(folder, 'RUNS'))).toBe(true)
})

test('a database that another process has open is not counted, nor looked at', async () => {
  const folder = join(root.path, 'index')
  await (await openDatabase(folder)).close()
  const holder = spawn(process.execPath, [
    ...['--input-type=module', '-e'],
    `import { Level } from ${JSON.stringify(import.meta.resolve('level'))}
     await new Level(${JSON.stringify(folder)}).open()
     console.log('open')
     setInterval(() => {}, 1000)`
  ])
  try {
    await once(holder.stdout, 'data')
    writeFileSync(join(folder, 'RUNS'), '1')
    for (let n = 0; n < 3; n++) {
      await expect(openDatabase(folder)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
    }
    expect(readFileSync(join(folder, 'RUNS'), 'utf8')).toBe('1')
  } finally {
    holder.kill('SIGKILL')
    await once(holder, 'exit')
  }
})

test('a database that is closed, and opened again, leaves no count', async () => {
  const folder = join(root.path, 'index')
  for (let run = 0; run < 4; run++) {
    const database = await openDatabase(folder)
    expect(existsSync(join(folder, 'RUNS'))).toBe(run > 0)
    await database.close()
    await database.open()
    expect(existsSync(join(folder, 'RUNS'))).toBe(true)
    await database.close()
    expect(existsSync(join(folder, 'RUNS'))).toBe(false)
  }
})
