import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { foldedPart } from '../../../src/store/folded-names.ts'
import { makeTestFolder, streamOf, type TestFolder, testBytes } from '../../support/data-folder.ts'

const LENGTH = 1000

let on: TestFolder
beforeEach(async () => {
  on = await makeTestFolder()
})
afterEach(() => on.remove())

async function put(seed = 1): Promise<ContentHash> {
  const store = on.store()
  const staged = await store.stage(streamOf(testBytes(LENGTH, seed)), { bytesMax: LENGTH })
  await store.publish(staged)
  store.finish(staged)
  return staged.hash
}

const at = (name: string) => join(on.folder.images, name)
const bytesOf = (name: string) => Buffer.compare(readFileSync(at(name)), testBytes(LENGTH)) === 0
const quarantine = () => on.names('quarantine')

test.each(['auto', 'copy'] as const)(
  'a file of the view (%s) is nobody’s to write',
  async (mode) => {
    const hash = await put()
    const shown = await on.view(mode).show(parsePath('a/b.jpg'), hash, undefined)
    const { ino, mode: bits, nlink } = statSync(at('a/b.jpg'))
    expect([shown?.ino, bits & 0o777]).toEqual([ino, 0o444])
    expect(bytesOf('a/b.jpg')).toBe(true)
    if (mode === 'copy') expect(nlink).toBe(1)
    expect(statSync(at('a')).mode & 0o005).toBe(0o005)
    expect(on.names('temp')).toEqual([])
  }
)

test('switched off, it shows nothing and still hides what was shown', async () => {
  const hash = await put()
  const shown = await on.view().show(parsePath('a.jpg'), hash, undefined)
  expect(await on.view('off').show(parsePath('b.jpg'), hash, undefined)).toBeUndefined()
  if (shown !== undefined) await on.view('off').hide(shown)
  expect(on.names('images')).toEqual([])
})

test('hiding removes the folders that become empty, and no others', async () => {
  const view = on.view()
  const hash = await put()
  const deep = await view.show(parsePath('a/b/c/d.jpg'), hash, undefined)
  await view.show(parsePath('a/e.jpg'), hash, undefined)
  if (deep === undefined) throw new Error('not shown')
  await view.hide(deep)
  expect(readdirSync(at('a'))).toEqual(['e.jpg'])
  await view.durable([deep.name])
})

test('a file set aside keeps its bytes and the end of its name', async () => {
  mkdirSync(at('a'))
  writeFileSync(at('a/holiday.jpg'), 'theirs')
  await on.view().show(parsePath('a/holiday.jpg'), await put(), undefined)
  expect(bytesOf('a/holiday.jpg')).toBe(true)
  const [kept = ''] = quarantine()
  expect(kept).toMatch(/^foreign-[0-9a-f]{12}-holiday\.jpg$/)
  expect(readFileSync(join(on.folder.quarantine, kept), 'utf8')).toBe('theirs')
})

test.each(['auto', 'copy'] as const)(
  'equal bytes of somebody else are replaced (%s)',
  async (mode) => {
    writeFileSync(at('a.jpg'), testBytes(LENGTH))
    const shown = await on.view(mode).show(parsePath('a.jpg'), await put(), undefined)
    expect(lstatSync(at('a.jpg')).ino).toBe(shown?.ino)
    expect(quarantine()).toEqual([])
  }
)

test('a file that was taken in keeps its name, also in another spelling', async () => {
  const view = on.view()
  const hash = await put()
  const name = 'e\u0301.jpg' // as some systems write é
  writeFileSync(at(name), testBytes(LENGTH))
  const found = { name, ino: lstatSync(at(name)).ino }
  const shown = await view.show(parsePath('\u00e9.jpg'), hash, found)
  expect(shown?.name).toBe(name)
  expect(lstatSync(at(name)).ino).toBe(shown?.ino)
  expect([readdirSync(on.folder.images), quarantine()]).toEqual([[name], []])
})

test('a file that was taken in and has been written to since is set aside', async () => {
  const hash = await put()
  writeFileSync(at('a.jpg'), 'theirs')
  const found = { name: 'a.jpg', ino: lstatSync(at('a.jpg')).ino }
  await on.view().show(parsePath('a.jpg'), hash, found)
  expect([bytesOf('a.jpg'), quarantine().length]).toEqual([true, 1])
})

test('what was shown and not noted is swept; what others may write, and what is not there, stays', async () => {
  const view = on.view()
  await view.show(parsePath('dir/a.jpg'), await put(), undefined)
  writeFileSync(at('theirs.jpg'), 'theirs')
  for (const name of ['dir/a.jpg', 'theirs.jpg', 'no.jpg', 'no/b.jpg']) await view.sweep(name)
  expect(readdirSync(on.folder.images)).toEqual(['theirs.jpg'])
  expect(quarantine()).toEqual([expect.stringMatching(/^foreign-.*-a\.jpg$/)])
  await view.show(parsePath('b.jpg'), await put(), undefined)
  await on.view('off').sweep('b.jpg')
  expect(bytesOf('b.jpg')).toBe(true)
})

test('the same length is not the same bytes', async () => {
  writeFileSync(at('a.jpg'), testBytes(LENGTH, 7))
  await on.view().show(parsePath('a.jpg'), await put(), undefined)
  expect(quarantine()).toHaveLength(1)
})

test('a writable file is not ours, though it was given the number of one', async () => {
  const view = on.view('copy')
  const hash = await put()
  const path = parsePath('a.jpg')
  const shown = await view.show(path, hash, undefined)
  if (shown === undefined) throw new Error('not shown')
  chmodSync(at('a.jpg'), 0o644)
  writeFileSync(at('a.jpg'), 'theirs')
  const again = await view.show(path, hash, shown)
  expect([bytesOf('a.jpg'), quarantine().length]).toEqual([true, 1])
  chmodSync(at('a.jpg'), 0o644)
  if (again !== undefined) await view.hide(again)
  expect([existsSync(at('a.jpg')), quarantine().length]).toEqual([false, 2])
})

test('no symbolic link is followed: neither on the way nor at the end', async () => {
  const view = on.view()
  const hash = await put()
  const outside = join(on.folder.path, 'outside')
  mkdirSync(outside)
  symlinkSync(outside, at('dir'))
  symlinkSync(join(outside, 'target'), at('a.jpg'))
  await view.show(parsePath('dir/b.jpg'), hash, undefined)
  await view.show(parsePath('a.jpg'), hash, undefined)
  expect(readdirSync(outside)).toEqual([])
  expect(lstatSync(at('dir')).isDirectory()).toBe(true)
  expect(lstatSync(at('a.jpg')).isFile()).toBe(true)
  expect(quarantine()).toHaveLength(2)
})

test('a folder that was swapped for a link protects what is behind it', async () => {
  const view = on.view()
  const hash = await put()
  const shown = await view.show(parsePath('dir/b.jpg'), hash, undefined)
  if (shown === undefined) throw new Error('not shown')
  const outside = join(on.folder.path, 'outside')
  renameSync(at('dir'), outside)
  symlinkSync(outside, at('dir'))
  await view.hide(shown)
  expect(readdirSync(outside)).toEqual(['b.jpg'])
  await view.show(parsePath('dir/b.jpg'), await put(2), shown)
  expect(readFileSync(join(outside, 'b.jpg'))).toEqual(Buffer.from(testBytes(LENGTH)))
})

test('names of 255 bytes are kept, longer ones are cut', async () => {
  const view = on.view()
  const hash = await put()
  const fits = `${'x'.repeat(251)}.jpg`
  expect(await view.show(parsePath(fits), hash, undefined)).toMatchObject({ name: fits })
  const long = `${'图'.repeat(100)}/${'图'.repeat(100)}.jpg`
  const shown = await view.show(parsePath(long), hash, undefined)
  expect(shown?.name).toMatch(/^图+~[0-9a-f]{10}\/图+~[0-9a-f]{10}\.jpg$/)
  expect(bytesOf(shown?.name ?? '')).toBe(true)
})

test('something of another kind at a suffixed name gives way', async () => {
  const view = on.view()
  const hash = await put()
  mkdirSync(at('a'))
  writeFileSync(at('a/x'), '')
  const shown = await view.show(parsePath('a'), hash, undefined)
  if (shown === undefined) throw new Error('not shown')
  await view.hide(shown)
  mkdirSync(at(shown.name))
  expect((await view.show(parsePath('a'), hash, undefined))?.name).toBe(shown.name)
  expect(quarantine()).toHaveLength(1)
})

test('a folder of somebody else is not moved away for a file', async () => {
  mkdirSync(at('a.jpg'))
  const shown = await on.view().show(parsePath('a.jpg'), await put(), undefined)
  expect(shown?.name).toMatch(/^a~[0-9a-f]{10}\.jpg$/)
  expect(statSync(at('a.jpg')).isDirectory()).toBe(true)
})

test('without its marker the folder is left alone', async () => {
  const view = on.view()
  const hash = await put()
  const shown = await view.show(parsePath('a.jpg'), hash, undefined)
  rmSync(join(on.folder.path, '.tumesh'))
  const refused = { code: 'READ_ONLY' }
  await expect(view.show(parsePath('b.jpg'), hash, undefined)).rejects.toMatchObject(refused)
  if (shown !== undefined) await expect(view.hide(shown)).rejects.toMatchObject(refused)
  expect(on.names('images')).toEqual(['a.jpg'])
})

test('a name that the disk has in another spelling is told from one that it has', async () => {
  mkdirSync(at('dir'))
  writeFileSync(at('dir/a.jpg'), '')
  writeFileSync(at('e\u0301.jpg'), '') // as some disks store what was written as é
  expect(await foldedPart(on.folder.images, 'dir/a.jpg')).toBeUndefined()
  expect(await foldedPart(on.folder.images, 'dir/A.jpg')).toBe(1)
  expect(await foldedPart(on.folder.images, 'DIR/a.jpg')).toBe(0)
  expect(await foldedPart(on.folder.images, '\u00e9.jpg')).toBeUndefined()
})

/** A file of somebody who may still have it open, whose bytes were taken in. */
function writersFile(name: string) {
  writeFileSync(at(name), testBytes(LENGTH))
  const { ino, size, mtimeMs, ctimeMs } = statSync(at(name))
  return { name, ino, writer: { ino, size, mtimeMs, ctimeMs } }
}

test('a file that its writer left there goes like one of the view: its bytes are kept', async () => {
  const view = on.view()
  await view.hide(writersFile('a.jpg'))
  const other = await put(2)
  const shown = await view.show(parsePath('b.jpg'), other, writersFile('b.jpg'))
  expect([on.names('images'), shown?.name, quarantine()]).toEqual([['b.jpg'], 'b.jpg', []])
  expect(readFileSync(at('b.jpg'))).toEqual(Buffer.from(testBytes(LENGTH, 2)))
})

test('unless he has gone on writing: then it is set aside', async () => {
  const view = on.view()
  const [first, second] = [writersFile('a.jpg'), writersFile('b.jpg')]
  for (const { name } of [first, second]) writeFileSync(at(name), 'more')
  await view.hide(first)
  await view.show(parsePath('b.jpg'), await put(2), second)
  expect([on.names('images'), quarantine().length]).toEqual([['b.jpg'], 2])
})
