import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SpareBuffers } from '../../../src/base/spare-buffers.ts'
import { onDisk } from '../../../src/store/disk-error.ts'
import { readFrom, readFromLater } from '../../../src/store/regular-file.ts'
import {
  ignoredBy,
  type LeftOut,
  lookAtName,
  lookAtNameNow,
  openForeign,
  scanFiles,
  UnreadableFile
} from '../../../src/store/scan.ts'
import { collect, temporaryFolder } from '../../support/data-folder.ts'

vi.mock('node:fs/promises', { spy: true })

let root: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  root = temporaryFolder()
})
afterEach(() => root.remove())

function write(name: string, content = 'x'): void {
  mkdirSync(dirname(join(root.path, name)), { recursive: true })
  writeFileSync(join(root.path, name), content)
}

const quietly = { isIgnored: ignoredBy(['*.part', '*.tmp']), onLeftOut: () => {} }

const scan = async (options = {}, at = '') =>
  (await Array.fromAsync(scanFiles(root.path, { ...quietly, ...options }, at))).sort()

/** Both ways to look, which must see the same. */
async function look(name: string) {
  const [seen, later] = [
    lookAtNameNow(root.path, name, () => {}),
    await lookAtName(root.path, name, () => {})
  ]
  expect(later).toEqual(seen)
  return seen
}

test('finds regular files in every folder, or below one, and tells of the folders', async () => {
  for (const name of ['a.jpg', 'd/b.jpg', 'd/e/f/图.png']) write(name, name)
  const folders: string[] = []
  const found = await scan({ onFolder: (name: string) => folders.push(name) })
  expect(found).toEqual(['a.jpg', 'd/b.jpg', 'd/e/f/图.png'])
  expect(folders).toEqual(['', 'd', 'd/e', 'd/e/f'])
  expect(await scan({}, 'd/e')).toEqual(['d/e/f/图.png'])
})

test('looks at a name: its stamp, whether it is a folder, or that nothing is there', async () => {
  write('d/b.jpg')
  symlinkSync(join(root.path, 'd/b.jpg'), join(root.path, 'link.jpg'))
  const { ino, size, mtimeMs, ctimeMs } = statSync(join(root.path, 'd/b.jpg'))
  expect(await look('d/b.jpg')).toEqual({ ino, size, mtimeMs, ctimeMs })
  expect(await look('d')).toBe('folder')
  expect([await look('x'), await look('link.jpg')]).toEqual([undefined, undefined])
})

test('a pattern fits whole names, in any case, and a dot in front always does', () => {
  const isIgnored = ignoredBy(['*.part', 'cache', 'a+(b)?.jpg'])
  const left = ['.x', 'b.PART', '.part', 'Cache', 'a+(b)?.jpg']
  expect(left.filter((name) => !isIgnored(name))).toEqual([])
  const taken = ['part', 'b.part.jpg', 'cache2', 'aab.jpg', 'x.jpg']
  expect(taken.filter(isIgnored)).toEqual([])
})

/** What a scan leaves out, and why. */
async function leftOut(): Promise<Record<string, string>> {
  const all: Record<string, string> = {}
  const onLeftOut = (name: string, { code }: LeftOut) => {
    all[name] = code
  }
  await scan({ onLeftOut })
  return all
}

test('leaves out links, pipes, hidden names and what is still being written', async () => {
  for (const name of ['.x', '.d/y.jpg', 'a.part', 'b.TMP', 'd/.z', 'part', 'a.jpg']) write(name)
  symlinkSync(join(root.path, 'a.jpg'), join(root.path, 'link.jpg'))
  symlinkSync('/etc', join(root.path, 'etc'))
  execFileSync('mkfifo', [join(root.path, 'pipe.jpg')])
  expect(await scan()).toEqual(['a.jpg', 'part'])
  expect(await leftOut()).toEqual({ 'link.jpg': 'ELOOP', etc: 'ELOOP', 'pipe.jpg': 'ENOTSUP' })
})

test('says of a name that is no Unicode that it is left out, and of what lies too deep', async () => {
  const bytes = Buffer.from('/b\xff.jpg', 'latin1')
  writeFileSync(Buffer.concat([Buffer.from(root.path), bytes]), 'x')
  write('\ufffd.jpg')
  write(`${'d/'.repeat(512)}x.jpg`)
  expect(await scan()).toEqual(['\ufffd.jpg'])
  expect(await leftOut()).toEqual({
    'b\ufffd.jpg': 'EILSEQ',
    [Array.from({ length: 512 }, () => 'd').join('/')]: 'ENAMETOOLONG'
  })
})

test('files that go while it looks are no error; a folder that is not there is', async () => {
  for (let n = 0; n < 100; n++) write(`d${n}/x.jpg`)
  let seen = 0
  for await (const name of scanFiles(root.path, quietly)) {
    seen++
    for (let n = 0; n < 100; n++)
      if (!name.startsWith(`d${n}/`))
        rmSync(join(root.path, `d${n}`), { recursive: true, force: true })
  }
  expect(seen).toBe(1)
  root.remove()
  await expect(scan()).rejects.toMatchObject({ code: 'DISK_FAULT' })
})

test('a folder that can not be read is told, and the others are found', async () => {
  write('a.jpg')
  const tooDeep = Array.from({ length: 20 }, () => 'd'.repeat(250)).join('/')
  // Longer than a path can be: made step by step, from inside.
  const script = 'cd "$1" && for i in $(seq 20); do mkdir "$2" && cd -P "$2" || exit; done'
  execFileSync('sh', ['-c', script, 'sh', root.path, 'd'.repeat(250)])
  const unreadable: string[] = []
  const onLeftOut = (name: string, { code }: LeftOut) => unreadable.push(`${code} ${name}`)
  expect(await scan({ onLeftOut })).toEqual(['a.jpg'])
  expect(unreadable).toHaveLength(1)
  expect(unreadable[0]).toMatch(/^ENAMETOOLONG d/)
  expect(tooDeep.startsWith(unreadable[0]?.slice(13) ?? 'x')).toBe(true)
})

test('a doubtful name that can not be looked at keeps nobody from the others', async () => {
  write('a.jpg')
  const many = Math.floor((4090 - root.path.length) / 251)
  const name = '\ufffd'.repeat(85) // with it the path is longer than one can be
  const script =
    'cd "$1" && for i in $(seq "$2"); do mkdir "$3" && cd -P "$3" || exit; done && : >"$4"'
  execFileSync('sh', ['-c', script, 'sh', root.path, `${many}`, 'd'.repeat(250), name])
  expect(await scan()).toEqual(['a.jpg'])
  expect(Object.values(await leftOut())).toEqual(['ENAMETOOLONG'])
})

test('stops when it is aborted', async () => {
  write('a.jpg')
  await expect(scan({ signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
})

const buffers = new SpareBuffers({ bytesMax: 2 ** 18, keptBytesMax: 2 ** 20 })
const openFile = (name: string, fill = readFromLater) =>
  openForeign({ buffers, fill }, root.path, name)

test('a foreign file that can not be read is no fault of the disk as a whole', async () => {
  expect(() => openFile('n'.repeat(300), readFromLater)).toThrow(UnreadableFile)
  write('a.jpg', 'hello')
  const failing = async () => onDisk('reading a file', () => throwing('EIO'))
  await expect(openFile('a.jpg', failing)?.readWhole()).rejects.toThrow(UnreadableFile)
  const busy = async () => onDisk('reading a file', () => throwing('EMFILE'))
  await expect(openFile('a.jpg', busy)?.readWhole()).rejects.toMatchObject({ code: 'BUSY' })
})

function throwing(code: string): never {
  throw Object.assign(new Error(code), { code })
}

test.each([
  ['at once', async (fd: number, target: Uint8Array) => readFrom(fd, target)],
  ['later', readFromLater]
])('reads a small foreign file %s, into a buffer that the next one gets', async (_, fill) => {
  write('a.jpg', 'hello')
  write('b.jpg', 'be')
  const first = await openFile('a.jpg', fill)?.readWhole()
  expect(Buffer.from(first?.bytes ?? []).toString()).toBe('hello')
  first?.giveBack()
  const second = await openFile('b.jpg', fill)?.readWhole()
  expect(Buffer.from(second?.bytes ?? []).toString()).toBe('be')
  expect(second?.bytes.buffer).toBe(first?.bytes.buffer)
  second?.giveBack()
})

test('reads a foreign file and tells whether it changed meanwhile', async () => {
  write('d/a.jpg', 'hello')
  const file = openFile('d/a.jpg')
  expect((await collect(file?.read())).toString()).toBe('hello')
  expect(file?.isUnchanged()).toBe(true)
  appendFileSync(join(root.path, 'd/a.jpg'), '!')
  expect(file?.isUnchanged()).toBe(false)
  file?.close()
  file?.close()
})

test('a foreign file that was replaced or removed has changed', () => {
  write('a.jpg')
  write('b.jpg')
  const file = openFile('a.jpg')
  renameSync(join(root.path, 'b.jpg'), join(root.path, 'a.jpg'))
  expect(file?.isUnchanged()).toBe(false)
  rmSync(join(root.path, 'a.jpg'))
  expect(file?.isUnchanged()).toBe(false)
  file?.close()
})

test('nothing but a regular file is opened, and no link is followed', () => {
  write('d/a.jpg')
  symlinkSync(join(root.path, 'd/a.jpg'), join(root.path, 'link.jpg'))
  symlinkSync(join(root.path, 'd'), join(root.path, 'other'))
  execFileSync('mkfifo', [join(root.path, 'pipe.jpg')])
  for (const name of ['absent', 'd', 'link.jpg', 'other/a.jpg', 'pipe.jpg', 'd/a.jpg/x']) {
    expect(openFile(name)).toBeUndefined()
  }
})
