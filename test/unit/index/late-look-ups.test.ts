import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Entry, encodeEntry, type ImageEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { versionAt } from '../../../protocols/version.ts'
import { imageIdOf, openTables, type Tables } from '../../../src/index/tables.ts'
import { auditIndex } from '../../support/audit-index.ts'
import { check } from '../../support/filled-index.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { openMemoryIndex, type TestIndex } from '../../support/open-index.ts'

const COUNT = 300
const MS = 1_700_000_000_000

let opened: TestIndex
let tables: Tables
let entries: ImageEntry[]
beforeEach(async () => {
  opened = await openMemoryIndex()
  tables = await openTables(opened.database)
  entries = Array.from({ length: COUNT }, (_, n) => image(`${n}.jpg`, MS + n))
})
afterEach(() => opened.close())

function image(path: string, atMs: number, content = path): ImageEntry {
  return encodeEntry({
    ...{ kind: KIND_IMAGE, path, deleted: false, version: versionAt(atMs), writer: 'a' },
    ...{ hash: digest('sha256', content) as ContentHash, md5: digest('md5', content) as Md5 },
    ...{ bytes: 1000, mediaType: 'image/png', createdMs: MS }
  }) as ImageEntry
}

const merge = (some: readonly Entry[]) =>
  opened.index.change((tx) => {
    for (const entry of some) tx.merge(entry, 'peer')
  })
const countOf = async (table: 'id' | 'md5' | 'late') => (await tables[table].keys().all()).length

async function expectFound(some: readonly ImageEntry[], isLive = true): Promise<void> {
  for (const { path, md5, hash } of some) {
    const paths = await opened.index.pathsWithId(imageIdOf(path), 9)
    expect(paths).toEqual(isLive ? [path] : [])
    expect(await opened.index.hashesOf(md5, 9)).toEqual([hash])
  }
}

test('images that come with many others are found at once, and get their look-ups later', async () => {
  await merge(entries)
  expect([await countOf('id'), await countOf('md5'), await countOf('late')]).toEqual([0, 0, 1])
  await expectFound(entries)
  expect(await auditIndex(opened.database)).toEqual([])
  expect(await opened.index.makeLookUps()).toBe(true)
  expect(await opened.index.makeLookUps()).toBe(false)
  expect([await countOf('id'), await countOf('md5'), await countOf('late')]).toEqual([
    COUNT,
    COUNT,
    0
  ])
  await expectFound(entries)
  expect(await auditIndex(opened.database)).toEqual([])
})

test('a few get them at once', async () => {
  await merge(entries.slice(0, 7))
  expect([await countOf('id'), await countOf('md5'), await countOf('late')]).toEqual([7, 7, 0])
  expect(await opened.index.makeLookUps()).toBe(false)
})

test('what is deleted, replaced or put to review meanwhile is found as if it had had them', async () => {
  await merge(entries)
  const [first, second, third, ...rest] = entries as [ImageEntry, ImageEntry, ImageEntry]
  const later = image(second.path, MS + 9999, 'other')
  await merge([imageEntry(first.path, versionAt(MS + 9999), { deleted: true }), later])
  await opened.index.change((tx) => tx.putToReview(third, 'peer'))
  const expectAll = async () => {
    await expectFound([first, third], false)
    await expectFound(rest)
    await expectFound([later])
    expect(await opened.index.hashesOf(second.md5, 9)).toEqual([second.hash])
    expect(await auditIndex(opened.database)).toEqual([])
  }
  await expectAll()
  while (await opened.index.makeLookUps()) {}
  await expectAll()
  expect(await check(opened.index)).toEqual([])
})

test('an image that comes and goes within one change has none, and what is left of it is found', async () => {
  const gone = imageEntry('0.jpg', versionAt(MS + 9999), { deleted: true })
  await merge([...entries, gone])
  await expectFound(entries.slice(0, 1), false)
  while (await opened.index.makeLookUps()) {}
  expect([await countOf('id'), await countOf('md5')]).toEqual([COUNT - 1, COUNT])
  expect(await auditIndex(opened.database)).toEqual([])
})

test('the self-check makes them first, and finds those that a damaged row has lost', async () => {
  await merge(entries)
  expect(await check(opened.index)).toEqual([])
  expect(await countOf('late')).toBe(0)
  await merge(entries.map(({ path }) => image(`more/${path}`, MS + 5)))
  const [key = ''] = await tables.late.keys().all()
  await tables.late.put(key, Buffer.from('what the disk has made of it, and not much is left'))
  expect((await check(opened.index)).length).toBe(2 * COUNT)
  expect(await auditIndex(opened.database)).toEqual([])
  expect(await opened.index.hashesOf('0'.repeat(32) as Md5, 9)).toEqual([])
})
