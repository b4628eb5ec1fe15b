// Stores of blobs of both kinds, and what a test does to them behind their backs.

import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { ContentHash } from '../../protocols/hash.ts'
import type { BlobStore } from '../../src/store/blob-store.ts'
import { blobFile } from '../../src/store/folder.ts'
import { MemoryBlobs } from '../../src/store/memory-blobs.ts'
import { makeTestFolder } from './data-folder.ts'

export interface StoreHarness {
  readonly store: BlobStore
  /** The same bytes after a restart of the process. */
  restarted(): BlobStore
  /** Replaces the bytes of a blob in place. */
  overwrite(hash: ContentHash): Promise<void>
  truncate(hash: ContentHash, size: number): Promise<void>
  quarantined(name: string): Uint8Array | undefined
  /** Cuts a partial blob of which nobody knows, or makes it longer. */
  resizePartial(hash: ContentHash, size: number): Promise<void>
  /** Changes the first byte of a partial blob that nobody has open. */
  damagePartial(hash: ContentHash): void
  /** Names of temporary files. */
  temporary(): readonly string[]
  remove(): void
}

async function onDisk(): Promise<StoreHarness> {
  const test = await makeTestFolder()
  const fileOf = async (hash: ContentHash) => {
    const file = blobFile(test.folder, 'blobs', hash)
    await chmod(file, 0o600)
    return file
  }
  return {
    store: test.store(),
    restarted: () => test.store(),
    overwrite: async (hash) => {
      const file = await fileOf(hash)
      const bytes = readFileSync(file)
      bytes[0] = (bytes[0] ?? 0) ^ 1
      writeFileSync(file, bytes, { flag: 'r+' })
    },
    truncate: async (hash, size) => truncateSync(await fileOf(hash), size),
    quarantined: (name) => readFileSync(join(test.folder.quarantine, name)),
    resizePartial: async (hash, size) => truncateSync(join(test.folder.temp, `${hash}.part`), size),
    damagePartial: (hash) => flip(join(test.folder.temp, `${hash}.part`)),
    temporary: () => test.names('temp'),
    remove: test.remove
  }
}

/** Until its time is another: two changes within one tick of the file system look like one. */
function flip(file: string): void {
  const bytes = readFileSync(file)
  bytes[0] = (bytes[0] ?? 0) ^ 1
  const { ctimeMs } = statSync(file)
  while (statSync(file).ctimeMs === ctimeMs) writeFileSync(file, bytes, { flag: 'r+' })
}

async function inMemory(): Promise<StoreHarness> {
  const store = new MemoryBlobs()
  return {
    store,
    restarted: () => store,
    overwrite: async (hash) => store.damage(hash, 'by writing'),
    truncate: async (hash, size) => store.truncate(hash, size),
    quarantined: (name) => store.quarantined(name),
    resizePartial: async (hash, size) => store.resizePartial(hash, size),
    damagePartial: (hash) => store.damagePartial(hash),
    temporary: () => [...store.leftovers().map(({ name }) => name), ...store.partials()],
    remove: () => {}
  }
}

export const STORES: readonly (readonly [string, () => Promise<StoreHarness>])[] = [
  ['disk', onDisk],
  ['memory', inMemory]
]

/** Much faster than toEqual on large buffers. */
export function expectSame(actual: Uint8Array | undefined, expected: Uint8Array): void {
  expect(actual?.byteLength).toBe(expected.byteLength)
  expect(Buffer.compare(actual ?? new Uint8Array(0), expected)).toBe(0)
}
