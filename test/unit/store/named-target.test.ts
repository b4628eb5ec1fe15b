import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { namedTarget } from '../../../src/store/named-target.ts'
import { temporaryFolder } from '../../support/data-folder.ts'

let root: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  root = temporaryFolder()
  mkdirSync(join(root.path, 'folder', 'taken.jpg'), { recursive: true })
  writeFileSync(join(root.path, 'file'), '')
})
afterEach(() => root.remove())

const target = (path: string, name?: string) => namedTarget(join(root.path, path), name)

test.each([
  ['a new file', 'new.jpg', 'new.jpg'],
  ['one that is there', 'file', 'file'],
  ['in a folder', 'folder', 'folder/a.jpg']
])('%s', (_what, path, expected) => {
  expect(target(path, 'a.jpg')).toBe(join(root.path, expected))
})

test('a link leads to the file that is meant', () => {
  symlinkSync('file', join(root.path, 'link'))
  expect(target('link', 'a.jpg')).toBe(join(root.path, 'file'))
})

test('a device does not give way to a file', () => {
  expect(() => namedTarget('/dev/null', 'a.jpg')).toThrow('no plain file')
})

test.each([
  ['no folder', 'nowhere/a.jpg', 'a.jpg', 'make it first'],
  ['a file for a folder', 'file/a.jpg', 'a.jpg', 'make it first'],
  ['a folder in the folder', 'folder', 'taken.jpg', 'name a file'],
  ['a folder, without a name', 'folder', undefined, 'name a file']
])('%s is refused with what to do', (_what, path, name, advice) => {
  expect(() => target(path, name)).toThrow(advice)
})
