import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemRandom } from '../../../src/base/clock.ts'
import { createLog } from '../../../src/base/log.ts'
import { type Folder, openFolder, requireMarker } from '../../../src/store/folder.ts'
import { temporaryFolder } from '../../support/data-folder.ts'

let root: ReturnType<typeof temporaryFolder>
let lines: { level: number; msg: string }[]
beforeEach(() => {
  root = temporaryFolder()
  lines = []
})
afterEach(() => root.remove())

const data = () => join(root.path, 'data')
const marker = () => join(data(), '.tumesh')
const state = () => join(root.path, 'state')

function open(acceptNew = false, path = data()): Promise<Folder> {
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) }
  const log = createLog({ level: 'info', name: 'test', destination })
  return openFolder({ random: systemRandom, log }, { path, stateDir: state(), acceptNew })
}

function writeMarker(content: object | string): void {
  mkdirSync(data(), { recursive: true })
  writeFileSync(marker(), typeof content === 'string' ? content : JSON.stringify(content))
}

test('a folder that was never there is made, closed to others but for images/', async () => {
  const folder = await open(false, join(data(), 'deep', 'er'))
  expect(folder.id).toMatch(/^[0-9a-f]{32}$/)
  const { path, images, blobs, temp, quarantine, trash, metadata } = folder
  for (const one of [blobs, temp, quarantine, trash, metadata]) {
    expect(statSync(one).mode & 0o777).toBe(0o700)
  }
  for (const one of [path, images]) expect(statSync(one).mode & 0o005).toBe(0o005)
  expect(readdirSync(images)).toEqual([])
})

test('a second start finds the same folder', async () => {
  const first = await open()
  expect((await open()).id).toBe(first.id)
  expect(lines).toEqual([])
})

test('a collection of images from before is taken', async () => {
  mkdirSync(join(data(), 'images'), { recursive: true })
  mkdirSync(join(data(), 'temp'))
  writeFileSync(join(data(), 'temp', 'x'), '')
  expect((await open()).id).not.toBe('')
})

test('folders of something else are not taken for ours: temp/ is swept', async () => {
  mkdirSync(join(data(), 'temp'), { recursive: true })
  writeFileSync(join(data(), 'temp', 'thesis.odt'), '')
  await expect(open()).rejects.toMatchObject({ code: 'MARKER_MISSING' })
  expect(readdirSync(data())).toEqual(['temp'])
  expect((await open(true)).id).not.toBe('')
})

test('a known folder without its marker is not written to', async () => {
  const { id } = await open()
  for (const name of readdirSync(data())) rmSync(join(data(), name), { recursive: true })
  const refused = open()
  await expect(refused).rejects.toMatchObject({ code: 'MARKER_MISSING' })
  await expect(refused).rejects.toThrow(/disk not mounted.*--accept-folder/)
  expect(readdirSync(data())).toEqual([])
  rmSync(data(), { recursive: true })
  await expect(open()).rejects.toMatchObject({ code: 'MARKER_MISSING' })

  const anew = await open(true)
  expect(anew.id).not.toBe(id)
  expect((await open()).id).toBe(anew.id)
})

test('another folder in the place of a known one is refused until accepted', async () => {
  await open()
  writeMarker({ format: 1, id: 'f'.repeat(32), device: statSync(data()).dev })
  await expect(open()).rejects.toMatchObject({ code: 'MARKER_FOREIGN' })
  expect((await open(true)).id).toBe('f'.repeat(32))
  expect((await open()).id).toBe('f'.repeat(32))
})

test.each(['', 'no json', '{"format":1}', '[]', 'null', `{"pad":"${'x'.repeat(5000)}"}`])(
  'a damaged marker (%j) is refused until accepted',
  async (content) => {
    writeMarker(content)
    const refused = open()
    await expect(refused).rejects.toMatchObject({ code: 'MARKER_FOREIGN' })
    await expect(refused).rejects.toThrow('damaged')
    expect((await open(true)).id).toMatch(/^[0-9a-f]{32}$/)
  }
)

test('a folder of a newer version is refused, also when told to accept it', async () => {
  writeMarker({ format: 2, id: 'a', device: 1 })
  await expect(open()).rejects.toMatchObject({ code: 'FOLDER_FORMAT' })
  await expect(open(true)).rejects.toMatchObject({ code: 'FOLDER_FORMAT' })
})

test('the same folder on another device is taken, and said once', async () => {
  const { id } = await open()
  writeMarker({ format: 1, id, device: 1 })
  expect((await open()).id).toBe(id)
  expect(lines).toMatchObject([{ level: 30 }])
  expect(JSON.parse(readFileSync(marker(), 'utf8')).device).toBe(statSync(data()).dev)
  await open()
  expect(lines).toHaveLength(1)
})

test.each(['', '{', '{"folders":7}'])(
  'without a usable state folder (%j) it starts',
  async (text) => {
    mkdirSync(state())
    writeFileSync(join(state(), 'folders.json'), text)
    const { id } = await open()
    expect(lines).toMatchObject([{ level: 40 }])
    rmSync(marker())
    await expect(open()).rejects.toMatchObject({ code: 'MARKER_MISSING' }) // it was begun anew
    rmSync(state(), { recursive: true })
    writeFileSync(state(), 'a file where the folder should be')
    expect((await open()).id).not.toBe(id)
    expect(lines.length).toBeGreaterThan(1)
  }
)

test('knows while it runs whether the folder is still the one it opened', async () => {
  const folder = await open()
  const text = readFileSync(marker(), 'utf8')
  expect(folder.markerPresent()).toBe(true)
  rmSync(marker())
  expect(folder.markerPresent()).toBe(false)
  expect(() => requireMarker(folder)).toThrow(/mounted/)
  writeFileSync(marker(), JSON.stringify({ format: 1, id: 'another', device: 1 }))
  expect(folder.markerPresent()).toBe(false)
  rmSync(marker())
  writeFileSync(marker(), text)
  expect(folder.markerPresent()).toBe(true)
})

test('a file in its place, or in the place of one of its folders, is said', async () => {
  writeFileSync(data(), '')
  await expect(open()).rejects.toMatchObject({ code: 'FOLDER_UNWRITABLE' })
  rmSync(data())
  mkdirSync(data())
  writeFileSync(join(data(), 'blobs'), '')
  await expect(open()).rejects.toMatchObject({ code: 'FOLDER_UNWRITABLE' })
})

test('a folder that can not be written is named, with the user', async (context) => {
  if (process.getuid?.() === 0) {
    // Root may write everything but what the kernel itself keeps.
    const refused = open(false, '/proc/tumesh')
    await expect(refused).rejects.toMatchObject({ code: 'FOLDER_UNWRITABLE' })
    await expect(refused).rejects.toThrow(/\/proc\/tumesh .*user root/)
    return
  }
  mkdirSync(data())
  chmodSync(data(), 0o500)
  context.onTestFinished(() => chmodSync(data(), 0o700))
  await expect(open()).rejects.toMatchObject({ code: 'FOLDER_UNWRITABLE' })
})
