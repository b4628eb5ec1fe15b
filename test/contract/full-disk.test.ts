// The store and the index on a disk that is really full. Needs root, to mount a small one.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, type TestContext, test } from 'vitest'
import { parsePath } from '../../protocols/path.ts'
import { openDatabase } from '../../src/index/open-database.ts'
import { DiskRoom } from '../../src/store/disk-room.ts'
import { diskSpace, planRoom } from '../../src/store/disk-space.ts'
import { IndexReserve } from '../../src/store/index-reserve.ts'
import { readSmallFile, writeFileAtomic } from '../../src/store/small-file.ts'
import { makeTestFolder, streamOf, temporaryFolder, testBytes } from '../support/data-folder.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { openIndexOver } from '../support/open-index.ts'
import { SeededChance } from '../support/seeded-chance.ts'

const DISK_BYTES = 2 * 1024 * 1024
const RECORD_BYTES = 4000
const options = { bytesMax: 2 * DISK_BYTES }

let disk: ReturnType<typeof temporaryFolder>
let mounted = false
beforeEach(() => {
  disk = temporaryFolder()
  try {
    const size = `size=${DISK_BYTES},nr_inodes=200`
    execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', disk.path], { stdio: 'ignore' })
    mounted = true
  } catch {
    mounted = false
  }
})
afterEach(() => {
  if (mounted) execFileSync('umount', [disk.path])
  disk.remove()
})

function needsMount(context: TestContext): void {
  context.skip(!mounted, 'needs root and mount(8), for a small disk')
}

/** Leaves no byte free. */
function fill(): void {
  expect(() => writeFileSync(join(disk.path, 'fill'), testBytes(DISK_BYTES))).toThrow('ENOSPC')
}

test('a blob that does not fit is refused and leaves nothing', async (context) => {
  needsMount(context)
  const on = await makeTestFolder(disk.path)
  const staging = on.store().stage(streamOf(testBytes(DISK_BYTES + 1)), options)
  await expect(staging).rejects.toMatchObject({ code: 'DISK_FULL' })
  expect(on.names('temp')).toEqual([])
})

test('a full disk refuses what is new; moving, removing and opening still work', async (context) => {
  needsMount(context)
  const on = await makeTestFolder(disk.path)
  const store = on.store()
  const held = await store.stage(streamOf(testBytes(10_000)), options)
  await store.publish(held)
  store.finish(held)
  const waiting = await store.stage(streamOf(testBytes(20_000)), options)
  fill()
  await expect(store.publish(waiting)).rejects.toMatchObject({ code: 'DISK_FULL' })
  store.finish(waiting)
  expect(on.names('temp')).toEqual([])
  expect(on.commit.failed).toBeUndefined()
  expect(planRoom(await diskSpace(on.folder.path), 1, 1)).toBe('full')

  const restarted = await makeTestFolder(disk.path)
  expect(restarted.folder.id).toBe(on.folder.id)
  const copy = on.view('copy').show(parsePath('a.jpg'), held.hash, undefined)
  await expect(copy).rejects.toMatchObject({ code: 'DISK_FULL' })
  expect([on.names('temp'), on.names('images')]).toEqual([[], []])
  expect(await store.moveTo(held.hash, 'trash')).toBeDefined()
  await store.remove(held.hash)
  await store.publish(await store.stage(streamOf(testBytes(5_000)), options)) // room again
})

test('a full disk keeps the old small file', async (context) => {
  needsMount(context)
  const file = join(disk.path, 'f')
  await writeFileAtomic(file, 'old')
  fill()
  const writing = writeFileAtomic(file, testBytes(10_000))
  await expect(writing).rejects.toMatchObject({ code: 'DISK_FULL' })
  expect(readSmallFile(file, 10)?.toString()).toBe('old')
})

test('since when a disk is full is known, and since when it is not', async (context) => {
  needsMount(context)
  execFileSync('mount', ['-o', 'remount,nr_inodes=9000', disk.path])
  const clock = new ManualClock()
  const reserve = { bytes: 100_000, share: undefined }
  const room = await DiskRoom.open({ clock }, { path: disk.path, reserve })
  const states: unknown[] = []
  const file = join(disk.path, 'fill')
  const write = () => writeFileSync(file, testBytes(DISK_BYTES - 50_000))
  for (const change of [() => {}, write, () => {}, () => rmSync(file)]) {
    clock.advance(5000)
    change()
    await room.measure()
    const { state, sinceMs } = room.status()
    states.push([state, clock.now() - sinceMs])
  }
  expect(states).toEqual([
    ['ok', 5000],
    ['full', 0],
    ['full', 5000],
    ['ok', 0]
  ])
})

test('room for the index is taken when the disk nears its end, and given bit by bit', async (context) => {
  needsMount(context)
  execFileSync('mount', ['-o', 'remount,nr_inodes=2000', disk.path])
  const reservedBytes = () => 100_000
  const options = { folder: disk.path, reservedBytes }
  const reserve = new IndexReserve({ random: new SeededChance(1) }, options)
  const held = () => {
    const at = join(disk.path, 'reserve')
    const bytes = statSync(join(at, 'bytes'), { throwIfNoEntry: false })?.size ?? 0
    return [bytes, existsSync(at) ? readdirSync(at).length - Number(bytes > 0) : 0]
  }
  await reserve.take()
  expect(held(), 'no byte is lacking yet, but files may be').toEqual([0, 64])
  writeFileSync(join(disk.path, 'much'), testBytes(DISK_BYTES - 500_000))
  await reserve.take()
  expect(held()).toEqual([100_000, 64])
  reserve.give()
  expect(held(), 'there is enough').toEqual([100_000, 64])
  fill()
  reserve.give()
  expect(held()).toEqual([87_500, 64])
  await reserve.take()
  expect(held(), 'not from the last that is there').toEqual([87_500, 64])
  for (let n = 0; n < 2; n++) {
    expect(() => writeFileSync(join(disk.path, `more-${n}`), testBytes(50_000))).toThrow('ENOSPC')
    reserve.give()
  }
  expect(held()[0]).toBeLessThan(87_500)
  const again = new IndexReserve({ random: new SeededChance(1) }, options)
  for (let n = 0; ; n++) {
    try {
      writeFileSync(join(disk.path, `empty-${n}`), '')
    } catch {
      break
    }
  }
  again.give()
  expect(held()[1], 'also by who finds it there').toBe(48)
  rmSync(join(disk.path, 'fill'))
  for (const name of readdirSync(disk.path)) {
    if (/^(empty|more)/.test(name)) rmSync(join(disk.path, name))
  }
  await again.take()
  expect(held()).toEqual([100_000, 64])
})

test('a disk without inodes is full', async (context) => {
  needsMount(context)
  const on = await makeTestFolder(disk.path)
  const staged = await on.store().stage(streamOf(testBytes(10)), options)
  expect(() => {
    for (let n = 0; n < 300; n++) writeFileSync(join(disk.path, `f${n}`), '')
  }).toThrow('ENOSPC')
  await expect(on.store().publish(staged)).rejects.toMatchObject({ code: 'DISK_FULL' })
  expect(planRoom(await diskSpace(disk.path), 0, 1)).toBe('full')
})

test('an index that met a full disk loses nothing, and takes changes again with room', async (context) => {
  needsMount(context)
  const folder = join(disk.path, 'index')
  const { index, close } = await openIndexOver(await openDatabase(folder))
  const written: number[] = []
  const write = async (n: number) => {
    await index.change((tx) => tx.putRecord(`r${n}`, testBytes(RECORD_BYTES, n)))
    written.push(n)
  }
  try {
    for (let n = 0; n < 20; n++) await write(n)
    fill()
    for (let n = 20; n < 40; n++) await write(n).catch(() => {})
    expect(index.fault).toMatchObject({ code: 'DISK_FULL' })
    expect(index.record('r0')).toBeDefined()
    rmSync(join(disk.path, 'fill'))
    await expect(write(40)).rejects.toMatchObject({ code: 'DISK_FULL' })
    await index.upkeep.reopen()
    for (let n = 41; n < 60; n++) await write(n)
    expect(written.length).toBeGreaterThanOrEqual(39)

    const left = temporaryFolder() // what kill -9 would leave
    context.onTestFinished(left.remove)
    cpSync(folder, left.path, { recursive: true })
    const after = await openIndexOver(await openDatabase(left.path))
    expect(written.filter((n) => after.index.record(`r${n}`) === undefined)).toEqual([])
    await after.close()
  } finally {
    await close()
  }
})

test('an index that can not be opened on a full disk says so', async (context) => {
  needsMount(context)
  const folder = join(disk.path, 'index')
  const first = await openIndexOver(await openDatabase(folder))
  await first.close()
  fill()
  await expect(openDatabase(folder)).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringMatching(/^The disk is full: .*\.$/)
  })
})

test('a folder on two disks is refused: blobs are moved by renaming', async (context) => {
  needsMount(context)
  const on = await makeTestFolder()
  context.onTestFinished(on.remove)
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', on.folder.images])
  context.onTestFinished(() => void execFileSync('umount', [on.folder.images]))
  const again = makeTestFolder(join(on.folder.path, '..'))
  await expect(again).rejects.toMatchObject({ code: 'FOLDER_UNWRITABLE' })
})
