import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { systemRandom } from '../../../src/base/clock.ts'
import { ThumbnailFiles } from '../../../src/store/thumbnail-files.ts'
import { makeTestFolder, type TestFolder, testBytes } from '../../support/data-folder.ts'

let place: TestFolder
beforeEach(async () => {
  place = await makeTestFolder()
})
afterEach(() => place.remove())

/** One of each of the 256 folders. */
const hashOf = (n: number) => n.toString(16).padStart(2, '0').repeat(32) as ContentHash

const filesOf = (bytesMax: number) =>
  new ThumbnailFiles({ folder: place.folder, random: systemRandom }, { bytesMax })

const kept = (files: ThumbnailFiles) =>
  Array.from({ length: 256 }, (_, n) => hashOf(n)).filter((hash) => files.read(hash, 256))

test('what is kept is there for the next run, until the blob goes', () => {
  const bytes = testBytes(100)
  filesOf(1000).keep(hashOf(1), 256, bytes)
  const files = filesOf(1000)
  expect(files.read(hashOf(1), 256)).toEqual(Buffer.from(bytes))
  expect(files.read(hashOf(1), 768)).toBeUndefined()
  files.drop(hashOf(1))
  files.drop(hashOf(2))
  expect(files.read(hashOf(1), 256)).toBeUndefined()
})

test('when they are too many some go, those of earlier runs too', async () => {
  for (let n = 0; n < 10; n++) filesOf(10_000).keep(hashOf(n), 256, testBytes(100, n))
  const files = filesOf(1000)
  for (let n = 10; n < 40; n++) {
    files.keep(hashOf(n), 256, testBytes(100, n))
    await files.idle()
  }
  expect(kept(files).length).toBeGreaterThan(5)
  expect(kept(files).length).toBeLessThanOrEqual(10)
  expect(place.names('temp')).toEqual([])
})

test('without room none is kept, and what is in the way is no error', () => {
  const none = filesOf(0)
  none.keep(hashOf(1), 256, testBytes(1))
  expect(kept(none)).toEqual([])
  writeFileSync(join(place.folder.path, 'thumbnails'), 'a file')
  const files = filesOf(1000)
  files.keep(hashOf(1), 256, testBytes(1))
  files.drop(hashOf(1))
  expect(kept(files)).toEqual([])
})

test('all of them can go, and others are kept and counted after that', async () => {
  const files = filesOf(1000)
  expect(await files.dropAll()).toBe(false)
  for (let n = 0; n < 5; n++) files.keep(hashOf(n), 256, testBytes(100, n))
  expect(await files.dropAll()).toBe(true)
  expect(kept(files)).toEqual([])
  expect(await files.dropAll()).toBe(false)
  for (let n = 0; n < 20; n++) {
    files.keep(hashOf(n), 256, testBytes(100, n))
    await files.idle()
  }
  expect(kept(files).length).toBeLessThanOrEqual(10)
  expect(kept(files).length).toBeGreaterThan(5)
})
