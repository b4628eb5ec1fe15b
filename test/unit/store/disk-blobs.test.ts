import { hash as digest } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { GroupCommit } from '../../../src/store/commit.ts'
import type { DiskBlobs } from '../../../src/store/disk-blobs.ts'
import { blobFile } from '../../../src/store/folder.ts'
import {
  collect,
  makeTestFolder,
  streamOf,
  type TestFolder,
  testBytes
} from '../../support/data-folder.ts'

const LARGE = 600_000
const options = { bytesMax: 1_000_000 }

let on: TestFolder
beforeEach(async () => {
  on = await makeTestFolder()
})
afterEach(() => on.remove())

async function put(store: DiskBlobs, length: number): Promise<ContentHash> {
  const staged = await store.stage(streamOf(testBytes(length)), options)
  await store.publish(staged)
  store.finish(staged)
  return staged.hash
}

const fileOf = (hash: ContentHash) => blobFile(on.folder, 'blobs', hash)

test('a blob is a read-only file in the folder of its first two digits', async () => {
  for (const length of [10, LARGE]) {
    const hash = await put(on.store(), length)
    expect(fileOf(hash)).toBe(join(on.folder.blobs, hash.slice(0, 2), hash))
    expect(statSync(fileOf(hash)).mode & 0o777).toBe(0o444)
    expect(statSync(dirname(fileOf(hash))).mode & 0o777).toBe(0o700)
  }
})

test.each([
  ['small', 10],
  ['large', LARGE]
])('a %s blob passes every fail point in order', async (_size, length) => {
  const passed: string[] = []
  const temporary: number[] = []
  const store = on.store((name) => {
    passed.push(name)
    temporary.push(on.names('temp').length)
  })
  await put(store, length)
  expect(passed).toEqual(['stage:opened', 'stage:written', 'publish:linked', 'publish:durable'])
  expect(temporary).toEqual([1, 1, 1, 1])
})

test('a blob that is named already leaves nothing in temp/ that must go', async () => {
  const store = on.store()
  const staged = store.stageWhole(testBytes(10))
  const placed: unknown[] = []
  const onPlaced = (stamp: unknown) =>
    placed.push(stamp, existsSync(fileOf(staged.hash)), on.names('temp'))
  const stamp = await store.publish(staged, { isNamed: true, onPlaced })
  expect(placed).toEqual([stamp, true, []])
})

/** A store whose syncs are told in their order, a + for those that find the blob under its name. */
function watchedStore(hash: ContentHash) {
  const order: string[] = []
  const note = (what: string) => order.push(`${what}${existsSync(fileOf(hash)) ? '+' : ''}`)
  const calls = {
    file: async () => void note('file'),
    folder: async (path: string) => void note(path.slice(on.folder.path.length)),
    all: async () => false
  }
  return {
    order,
    note,
    store: on.store(undefined, new GroupCommit(calls, { folder: on.folder.path }))
  }
}

test('a blob is told only once its bytes and its name are durable', async () => {
  const staged = await on.store().stage(streamOf(testBytes(10)), options)
  const { order, note, store } = watchedStore(staged.hash)
  await store.publish(staged)
  note('told')
  expect(order).toEqual(['file+', `/blobs/${staged.hash.slice(0, 2)}+`, '/blobs+', 'told+'])
})

test('a file that stands there already gives way only to durable bytes', async () => {
  const hash = await put(on.store(), 10)
  const before = statSync(fileOf(hash)).ino
  const inodes: number[] = []
  const calls = {
    file: async () => void inodes.push(statSync(fileOf(hash)).ino),
    folder: async () => {},
    all: async () => false
  }
  const store = on.store(undefined, new GroupCommit(calls, { folder: on.folder.path }))
  await store.publish(await store.stage(streamOf(testBytes(10)), options))
  expect(inodes[0]).toBe(before)
  expect(statSync(fileOf(hash)).ino).not.toBe(before)
})

test('a publish that is not durable leaves no name', async () => {
  const calls = {
    file: () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })),
    folder: async () => {},
    all: async () => false
  }
  const store = on.store(undefined, new GroupCommit(calls, { folder: on.folder.path }))
  const staged = await store.stage(streamOf(testBytes(10)), options)
  await expect(store.publish(staged)).rejects.toMatchObject({ code: 'DISK_FAULT' })
  expect(store.placeOf(staged.hash)).toBeUndefined()
  store.finish(staged)
  expect(on.names('temp')).toEqual([])
})

test('start-up sweeps what is in temp/ and names no blob', async () => {
  const store = on.store()
  const staged = await store.stage(streamOf(testBytes(LARGE)), options)
  await store.publish(staged)
  for (const name of ['x.part', 'y.view', `${'0'.repeat(64)}.xyz`, '.probe-1']) {
    writeFileSync(join(on.folder.temp, name), '')
  }
  mkdirSync(join(on.folder.temp, 'a-folder'))
  const left = on.store().leftovers()
  expect(left.map(({ hash }) => hash)).toEqual([staged.hash])
  expect(on.names('temp').sort()).toEqual([left[0]?.name, 'a-folder'].sort())
})

test('without its marker nothing is written, and nothing is called missing', async () => {
  const store = on.store()
  const hash = await put(store, 10)
  const staged = await store.stage(streamOf(testBytes(20)), options)
  rmSync(join(on.folder.path, '.tumesh'))
  const readOnly = { code: 'READ_ONLY' }
  await expect(store.publish(staged)).rejects.toMatchObject(readOnly)
  await expect(store.stage(streamOf(testBytes(LARGE)), options)).rejects.toMatchObject(readOnly)
  await expect(store.moveTo(hash, 'trash')).rejects.toMatchObject(readOnly)
  await expect(store.remove(hash)).rejects.toMatchObject(readOnly)
  await expect(store.quarantine(hash)).rejects.toMatchObject(readOnly)
  expect(() => store.leftovers()).toThrow(expect.objectContaining(readOnly))
  expect((await store.rehash(hash))?.hash).toBe(hash)
  rmSync(on.folder.blobs, { recursive: true })
  await expect(store.rehash(hash)).rejects.toMatchObject(readOnly)
})

test('what is no plain file is no blob', async () => {
  const store = on.store()
  const hash = await put(store, 10)
  rmSync(fileOf(hash))
  symlinkSync('/etc/hostname', fileOf(hash))
  expect([store.open(hash), store.stamp(hash), await store.rehash(hash)]).toEqual(Array(3))
  rmSync(fileOf(hash))
  mkdirSync(fileOf(hash))
  expect([store.open(hash), store.stamp(hash), await store.rehash(hash)]).toEqual(Array(3))
})

describe.skipIf(process.platform !== 'linux')('descriptors', () => {
  /** Files of the data folder that this process has open. */
  const openFiles = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(on.folder.path)
      } catch {
        return false // the one that listed them
      }
    }).length

  test('are given back on every way out of a read', async () => {
    const store = on.store()
    const hash = await put(store, LARGE)
    store.open(hash)?.close()
    await collect(store.open(hash)?.read(0, LARGE))
    for await (const _ of store.open(hash)?.read(0, LARGE) ?? []) break
    await expect(collect(store.open(hash)?.read(0, LARGE + 1))).rejects.toThrow()
    const blob = store.open(hash)
    await collect(blob?.read(0, 1))
    await collect(blob?.read(1, 2))
    blob?.close()
    await store.rehash(hash)
    await expect(store.rehash(hash, AbortSignal.abort())).rejects.toThrow()
    expect(openFiles()).toBe(0)
  })

  test('are given back when staging and publishing fail', async () => {
    const store = on.store()
    async function* failing() {
      yield testBytes(LARGE)
      throw new Error('gone')
    }
    await expect(store.stage(failing(), options)).rejects.toThrow('gone')
    const staged = await store.stage(streamOf(testBytes(10)), options)
    rmSync(on.folder.blobs, { recursive: true })
    writeFileSync(on.folder.blobs, '')
    await expect(store.publish(staged)).rejects.toMatchObject({ code: 'DISK_FAULT' })
    store.finish(staged)
    expect(openFiles()).toBe(0)
    expect(on.names('temp')).toEqual([])
  })
})

test('a file that nobody has made durable is, with its name', async () => {
  const hash = await put(on.store(), LARGE)
  const synced: (string | number)[] = []
  const calls = {
    file: async (fd: number) => void synced.push(readlinkSync(`/proc/self/fd/${fd}`)),
    folder: async (path: string) => void synced.push(path),
    all: async () => false
  }
  const store = on.store(undefined, new GroupCommit(calls, { folder: on.folder.path }))
  await store.makeDurable(hash)
  expect(synced).toEqual([fileOf(hash), dirname(fileOf(hash)), on.folder.blobs])
  await store.remove(hash)
  await store.makeDurable(hash)
})

test('a beginning that can not be looked at when it is left is gone on with all the same', async () => {
  const store = on.store()
  const bytes = testBytes(LARGE)
  const hash = digest('sha256', bytes) as ContentHash
  const partial = await store.openPartial(hash, LARGE)
  await partial.append([bytes.subarray(0, 1000)])
  const { temp } = on.folder
  renameSync(temp, `${temp}-away`)
  symlinkSync(temp, temp) // leads to itself: a look ends in ELOOP
  try {
    partial.close()
  } finally {
    rmSync(temp)
    renameSync(`${temp}-away`, temp)
  }
  const again = await store.openPartial(hash, LARGE)
  expect(again.bytesDone).toBe(1000)
  await again.append([bytes.subarray(1000)])
  const whole = again.complete()
  again.close()
  expect(whole?.hash).toBe(hash)
  if (whole !== undefined) store.finish(whole)
})
