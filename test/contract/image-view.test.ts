// What every view of the images does, however it gets at the bytes.

import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type ContentHash, parseHash } from '../../protocols/hash.ts'
import { parsePath } from '../../protocols/path.ts'
import type { BlobStore, FileStamp } from '../../src/store/blob-store.ts'
import { hashesOf } from '../../src/store/hashes.ts'
import type { ImageView } from '../../src/store/image-view.ts'
import { MemoryBlobs } from '../../src/store/memory-blobs.ts'
import { MemoryView } from '../../src/store/memory-view.ts'
import { makeTestFolder, streamOf, testBytes } from '../support/data-folder.ts'

interface Harness {
  readonly store: BlobStore
  readonly view: ImageView
  /** The hash of what a reader finds under a name in images/. */
  at(name: string): string | undefined
  /** Somebody else writes or removes a file. */
  write(name: string): void
  unlink(name: string): void
  /** As somebody who looks at it finds it. */
  stamp(name: string): FileStamp
  /** How many files were set aside. */
  setAside(): number
}

let cleanUp: (() => void) | undefined
afterEach(() => {
  cleanUp?.()
  cleanUp = undefined
})

async function onDisk(mode: 'auto' | 'copy'): Promise<Harness> {
  const on = await makeTestFolder()
  cleanUp = on.remove
  const file = (name: string) => join(on.folder.images, name)
  return {
    store: on.store(),
    view: on.view(mode),
    at: (name) => (existsSync(file(name)) ? hashesOf(readFileSync(file(name))).hash : undefined),
    write: (name) => writeFileSync(file(name), 'foreign'),
    unlink: (name) => rmSync(file(name)),
    stamp: (name) => {
      const { ino, size, mtimeMs, ctimeMs } = statSync(file(name))
      return { ino, size, mtimeMs, ctimeMs }
    },
    setAside: () => on.names('quarantine').length
  }
}

async function inMemory(): Promise<Harness> {
  const store = new MemoryBlobs()
  const view = new MemoryView({ blobs: store })
  return {
    store,
    view,
    at: (name) => view.at(name),
    write: (name) => view.write(name, -7),
    stamp: () => ({ ino: -7, size: 7, mtimeMs: 1, ctimeMs: 1 }),
    unlink: (name) => view.unlink(name),
    setAside: () => view.setAside.length
  }
}

async function put(store: BlobStore, seed: number): Promise<ContentHash> {
  const staged = await store.stage(streamOf(testBytes(100, seed)), { bytesMax: 1000 })
  await store.publish(staged)
  store.finish(staged)
  return staged.hash
}

const A = parsePath('d/a.jpg')

describe.each([
  ['disk, shared bytes', () => onDisk('auto')],
  ['disk, copies', () => onDisk('copy')],
  ['memory', inMemory]
])('a view of the images (%s)', (_kind, make) => {
  test('shows a blob under its path, replaces it, and hides it', async () => {
    const { store, view, at, setAside } = await make()
    const [one, other] = [await put(store, 1), await put(store, 2)]
    const first = await view.show(A, one, undefined)
    expect([first?.name, at('d/a.jpg')]).toEqual(['d/a.jpg', one])
    const second = await view.show(A, other, first)
    expect([second?.name, at('d/a.jpg')]).toEqual(['d/a.jpg', other])
    if (second === undefined) throw new Error('not shown')
    await view.durable([second.name])
    await view.hide(second)
    expect(at('d/a.jpg')).toBeUndefined()
    await view.durable([second.name])
    await view.hide(second)
    expect(setAside()).toBe(0)
  })

  test('one blob has any number of names', async () => {
    const { store, view, at } = await make()
    const hash = await put(store, 1)
    const first = await view.show(A, hash, undefined)
    await view.show(parsePath('b.jpg'), hash, undefined)
    if (first !== undefined) await view.hide(first)
    expect([at('d/a.jpg'), at('b.jpg')]).toEqual([undefined, hash])
  })

  test('showing what is shown already changes nothing, also when that was forgotten', async () => {
    const { store, view, at, setAside } = await make()
    const hash = await put(store, 1)
    const first = await view.show(A, hash, undefined)
    expect((await view.show(A, hash, first))?.name).toBe('d/a.jpg')
    expect((await view.show(A, hash, undefined))?.name).toBe('d/a.jpg')
    expect([at('d/a.jpg'), setAside()]).toEqual([hash, 0])
  })

  test('a file that somebody removed is shown again', async () => {
    const { store, view, at, unlink } = await make()
    const hash = await put(store, 1)
    const first = await view.show(A, hash, undefined)
    unlink('d/a.jpg')
    await view.show(A, hash, first)
    expect(at('d/a.jpg')).toBe(hash)
  })

  test('a file of somebody else is set aside, not overwritten', async () => {
    const { store, view, at, write, setAside } = await make()
    const hash = await put(store, 1)
    write('b.jpg')
    const shown = await view.show(parsePath('b.jpg'), hash, undefined)
    expect([shown?.name, at('b.jpg'), setAside()]).toEqual(['b.jpg', hash, 1])
  })

  test('a file of somebody else is not hidden', async () => {
    const { store, view, at, write, unlink } = await make()
    const shown = await view.show(A, await put(store, 1), undefined)
    unlink('d/a.jpg')
    write('d/a.jpg')
    if (shown !== undefined) await view.hide({ ...shown, ino: shown.ino + 1_000_000 })
    expect(at('d/a.jpg')).toBeDefined()
  })

  test('a copy of its own file is hidden, as a folder out of a backup has it', async () => {
    const { store, view, at } = await make()
    const [hash, other] = [await put(store, 1), await put(store, 2)]
    const shown = await view.show(A, hash, undefined)
    if (shown === undefined) throw new Error('not shown')
    const saved = { ...shown, ino: shown.ino + 1_000_000 }
    await view.hide({ ...saved, hash: other })
    expect(at('d/a.jpg')).toBe(hash)
    await store.moveTo(hash, 'trash')
    await view.hide({ ...saved, hash })
    expect(at('d/a.jpg')).toBeUndefined()
  })

  test('a file and a folder of one name stand beside each other, whichever came first', async () => {
    const { store, view, at } = await make()
    const [one, other] = [await put(store, 1), await put(store, 2)]
    await view.show(parsePath('x'), one, undefined)
    const below = await view.show(parsePath('x/y'), other, undefined)
    expect(below?.name).toMatch(/^x~[0-9a-f]{10}\/y$/)
    await view.show(parsePath('z/y'), one, undefined)
    const beside = await view.show(parsePath('z'), other, undefined)
    expect(beside?.name).toMatch(/^z~[0-9a-f]{10}$/)
    expect(['x', below?.name, 'z/y', beside?.name].map((name) => at(name ?? ''))).toEqual([
      one,
      other,
      one,
      other
    ])
    // The name stays while the file is there, though its reason may have gone.
    expect(await view.show(parsePath('z'), other, beside)).toMatchObject({ name: beside?.name })
  })

  test('a path that looks like the name another one got has a file of its own', async () => {
    const { store, view, at, setAside } = await make()
    for (const [first, second] of [
      [1, 2],
      [3, 3]
    ] as const) {
      const [one, other] = [await put(store, first), await put(store, second)]
      await view.show(parsePath(`${first}/x`), one, undefined)
      const made = await view.show(parsePath(`${first}/x/y`), one, undefined)
      if (made === undefined) throw new Error('not shown')
      const look = await view.show(parsePath(made.name), other, undefined)
      if (look === undefined) throw new Error('not shown')
      expect([at(made.name), at(look.name)]).toEqual([one, other])
      await view.hide(look)
      expect([at(made.name), at(look.name)]).toEqual([one, undefined])
    }
    expect(setAside()).toBe(0)
  })

  test('a file of somebody else is moved aside, if it is still the one', async () => {
    const { view, at, write, setAside, stamp } = await make()
    write('b.jpg')
    const now = stamp('b.jpg')
    expect(await view.moveAside('b.jpg', { ...now, ino: now.ino + 1 })).toBe(false)
    expect(at('b.jpg')).toBeDefined()
    expect(await view.moveAside('b.jpg', now)).toBe(true)
    expect([at('b.jpg'), setAside()]).toEqual([undefined, 1])
    expect(await view.moveAside('b.jpg', now)).toBe(false)
  })

  test('a file of its own is nobody’s to write', async () => {
    const { store, view, write } = await make()
    await view.show(A, await put(store, 1), undefined)
    write('b.jpg')
    expect(['d/a.jpg', 'b.jpg', 'c.jpg'].map((name) => view.isWritable(name))).toEqual([
      false,
      true,
      false
    ])
  })

  test('a blob that is not there is not shown', async () => {
    const { view, at } = await make()
    expect(await view.show(A, parseHash('0'.repeat(64)), undefined)).toBeUndefined()
    expect(at('d/a.jpg')).toBeUndefined()
  })
})
