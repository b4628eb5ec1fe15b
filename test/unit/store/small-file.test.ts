import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSmallFile, sweepUnfinished, writeFileAtomic } from '../../../src/store/small-file.ts'
import { temporaryFolder } from '../../support/data-folder.ts'

let root: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  root = temporaryFolder()
})
afterEach(() => root.remove())

const at = (name: string) => join(root.path, name)

test('writes text, bytes and streams, and replaces what was there', async () => {
  await writeFileAtomic(at('f'), 'text')
  expect(readFileSync(at('f'), 'utf8')).toBe('text')
  await writeFileAtomic(at('f'), new Uint8Array([1, 2]), { mode: 0o644 })
  expect([...readFileSync(at('f'))]).toEqual([1, 2])
  expect(statSync(at('f')).mode & 0o777).toBe(0o644)
  async function* pieces() {
    yield 'a'
    yield new Uint8Array([98])
  }
  await writeFileAtomic(at('f'), pieces())
  expect(readFileSync(at('f'), 'utf8')).toBe('ab')
  expect(statSync(at('f')).mode & 0o777).toBe(0o600)
  expect(readdirSync(root.path)).toEqual(['f'])
})

test.each(['n'.repeat(255), '图'.repeat(85)])('a name may have 255 bytes', async (name) => {
  await writeFileAtomic(at(name), 'text')
  expect(readdirSync(root.path)).toEqual([name])
})

test('a stream that fails leaves the old file and nothing else, and its own error', async () => {
  await writeFileAtomic(at('f'), 'old')
  const fault = Object.assign(new Error('from the source'), { code: 'ENOSPC' })
  async function* failing() {
    yield 'new'
    throw fault
  }
  await expect(writeFileAtomic(at('f'), failing())).rejects.toBe(fault)
  expect(readFileSync(at('f'), 'utf8')).toBe('old')
  expect(readdirSync(root.path)).toEqual(['f'])
})

test('a target that can not be replaced leaves nothing behind', async () => {
  mkdirSync(at('f'))
  await expect(writeFileAtomic(at('f'), 'x')).rejects.toMatchObject({ code: 'DISK_FAULT' })
  expect(readdirSync(root.path)).toEqual(['f'])
})

test('many writers of one file do not meet', async () => {
  const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(1000))
  await Promise.all(texts.map((text) => writeFileAtomic(at('f'), text)))
  expect(texts).toContain(readFileSync(at('f'), 'utf8'))
  expect(readdirSync(root.path)).toEqual(['f'])
})

test('what a killed writer left is swept, and nothing else', async () => {
  await writeFileAtomic(at('f.json'), 'text')
  for (const name of ['f.json.0123456789ab.tmp', '.m.0123456789ab.tmp']) writeFileSync(at(name), '')
  for (const name of ['notes.tmp', 'f.json.tmp', 'f.0123456789ab']) writeFileSync(at(name), '')
  mkdirSync(at('d.0123456789ab.tmp'))
  sweepUnfinished(root.path)
  const left = ['d.0123456789ab.tmp', 'f.0123456789ab', 'f.json', 'f.json.tmp', 'notes.tmp']
  expect(readdirSync(root.path).sort()).toEqual(left)
})

test('reads what fits and nothing else', () => {
  writeFileSync(at('f'), '12345')
  symlinkSync(at('f'), at('link'))
  expect(readSmallFile(at('f'), 5)?.toString()).toBe('12345')
  expect(() => readSmallFile(at('f'), 4)).toThrow(
    expect.objectContaining({ code: 'FOLDER_FORMAT' })
  )
  expect(readSmallFile(at('absent'), 5)).toBeUndefined()
  expect(readSmallFile(root.path, 5)).toBeUndefined()
  expect(readSmallFile(at('link'), 5)?.toString()).toBe('12345')
})
