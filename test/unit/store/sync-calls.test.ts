import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { syncfsReportsErrors, systemSyncCalls } from '../../../src/store/sync-calls.ts'
import { temporaryFolder } from '../../support/data-folder.ts'

const { PATH } = process.env

let root: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  root = temporaryFolder()
})
afterEach(() => {
  process.env.PATH = PATH
  root.remove()
})

test('flushing a whole file system is trusted only where the kernel reports its errors', () => {
  expect(syncfsReportsErrors('linux', '5.7.19-generic')).toBe(false)
  expect(syncfsReportsErrors('linux', '5.8.0')).toBe(true)
  expect(syncfsReportsErrors('linux', '4.19.0')).toBe(false)
  expect(syncfsReportsErrors('linux', '6.1')).toBe(true)
  expect(syncfsReportsErrors('darwin', '24.1.0')).toBe(false)
})

test('files and folders are flushed; a folder that is gone stands for its parent', async () => {
  const calls = systemSyncCalls()
  const fd = openSync(join(root.path, 'f'), 'w')
  await calls.file(fd)
  closeSync(fd)
  await expect(calls.file(fd)).rejects.toMatchObject({ code: 'EBADF' })
  mkdirSync(join(root.path, 'a/b'), { recursive: true })
  await calls.folder(join(root.path, 'a/b'))
  rmSync(join(root.path, 'a'), { recursive: true })
  await calls.folder(join(root.path, 'a/b'))
})

test('without a sync program nothing is claimed to be flushed', async () => {
  process.env.PATH = root.path
  expect(await systemSyncCalls().all(root.path)).toBe(false)
})

/** Puts another program in the place of `sync`. */
function fakeSync(script: string): void {
  writeFileSync(join(root.path, 'sync'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  process.env.PATH = `${root.path}:${PATH}`
}

describe.skipIf(process.platform !== 'linux')('flushing the whole file system', () => {
  test('works again and again', async () => {
    const calls = systemSyncCalls()
    const works = await calls.all(root.path)
    expect(await calls.all(root.path)).toBe(works)
  })

  test('works for any name that a folder can have', async () => {
    const calls = systemSyncCalls()
    const works = await calls.all(root.path)
    for (const name of [' blank ', 'back\\slash', '$HOME', '"', 'new\nline']) {
      mkdirSync(join(root.path, name))
      expect(await calls.all(join(root.path, name))).toBe(works && !name.includes('\n'))
    }
  })

  test('that fails is an error with its reason, each time', async () => {
    fakeSync('[ "$1" = --help ] && echo "-f, --file-system" && exit; echo "bad disk" >&2; exit 1')
    const calls = systemSyncCalls()
    for (let n = 0; n < 2; n++) await expect(calls.all(root.path)).rejects.toThrow('bad disk')
  })

  test('that is killed claims nothing, and is tried again', async () => {
    fakeSync(`[ "$1" = --help ] && echo -f && exit
      [ -e ${root.path}/tried ] && exit
      touch ${root.path}/tried; kill -9 $PPID`)
    const calls = systemSyncCalls()
    expect(await calls.all(root.path)).toBe(false)
    expect(await calls.all(root.path)).toBe(true)
  })

  test('is not tried where the program knows no -f', async () => {
    fakeSync('[ "$1" = --help ] && echo "usage: sync" && exit; touch called')
    expect(await systemSyncCalls().all(root.path)).toBe(false)
  })
})
