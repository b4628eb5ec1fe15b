// The rows of the index, byte for byte. A change of format can't pass unnoticed: what a program has
// written, all later ones read, and tell from their own by the number of the format.

import { readFileSync } from 'node:fs'
import { beforeEach, expect, test } from 'vitest'
import { refOf } from '../../../protocols/entries/entry-ref.ts'
import { type Entry, encodeEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionAt } from '../../../protocols/version.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { INDEX_FORMAT } from '../../../src/index/open-index.ts'
import { type Database, openTables, type TableName } from '../../../src/index/tables.ts'
import { auditIndex } from '../../support/audit-index.ts'
import { BreakableLevel } from '../../support/breakable-level.ts'
import { openIndexOver } from '../../support/open-index.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const fixtureOf = (format: number) =>
  new URL(`../../fixtures/index-format-${format}.json`, import.meta.url)
/** Tables whose values are bytes are in hex there; the others are as they are. */
const BYTES: readonly TableName[] = ['entry', 'version', 'late', 'tree', 'past', 'blob']
/** Those whose values were JSON up to format 2. */
const JSON_BEFORE: readonly TableName[] = ['blob', 'want']
/** Those whose values were texts up to format 3. */
const TEXT_BEFORE: readonly TableName[] = ['version']

type Rows = Record<string, Record<string, unknown>>

const NOW_MS = 1_700_000_000_000
const A = parsePath('folder/a.jpg')
const [old, live, wanted, reviewed] = ['11', '22', '33', '44'] as const
const hashOf = (byte: string) => byte.repeat(32) as ContentHash
/** So many together that their look-ups are made later. */
const MANY = 8
const STAMP = { ino: 5, size: 1000, mtimeMs: 1.5, ctimeMs: 2.5 }

function draft(path: string, byte: string) {
  return {
    ...{ path: parsePath(path), hash: hashOf(byte), md5: byte.repeat(16) as Md5, bytes: 1000 },
    ...{ mediaType: 'image/jpeg', width: 40, height: 30, createdMs: NOW_MS - 1000 },
    sourceUrl: `http://example.org/${byte}`
  }
}

function ofOthers(kind: number, path: string, more: Partial<Entry> = {}): Entry {
  const entry = encodeEntry({
    ...{ kind, path, deleted: false, version: versionAt(NOW_MS - 5000), writer: 'peer-b' },
    ...{ bytes: 0, mediaType: '', createdMs: 1 },
    ...more
  })
  return entry
}

/** Something in each table. */
async function fill(index: ImageIndex): Promise<void> {
  await index.change((tx) => {
    tx.putImage(draft(A, old))
    tx.setBlob(hashOf(old), { state: 'held', stamp: STAMP, verifiedAtMs: NOW_MS })
  })
  await index.change((tx) => {
    tx.putImage(draft(A, live))
    tx.setBlob(hashOf(live), { state: 'held', stamp: STAMP, verifiedAtMs: NOW_MS })
    tx.setBlob(hashOf(old), { state: 'trashed', stamp: STAMP })
    tx.setView(A, { name: 'folder/a.jpg', ino: 7, hash: hashOf(live) })
    tx.putImage(draft('wanted.jpg', wanted))
    tx.putImage(draft('the same.jpg', wanted))
    tx.putImage(draft('lost.jpg', '55'))
    tx.setBlob(hashOf('55'), { state: 'damaged', reason: 'other bytes were found' })
    tx.putRecord('member/peer-a', Buffer.from('{}'))
    tx.putRecord('member/peer-c', Buffer.from('{}'))
    tx.deleteRecord('member/peer-c')
    tx.merge(ofOthers(KIND_IMAGE, 'gone.jpg', { deleted: true }), 'peer-b')
    tx.merge(ofOthers(9, 'of a kind that nobody knows'), 'peer-b')
  })
  await index.change((tx) => {
    for (let n = 0; n < MANY; n++) {
      const image = draft(`many/${n}.jpg`, wanted)
      tx.merge(ofOthers(KIND_IMAGE, image.path, image), 'peer-b')
    }
  })
  await index.change((tx) => {
    const image = draft('reviewed.jpg', reviewed)
    tx.merge(ofOthers(KIND_IMAGE, image.path, image), 'peer-b')
  })
  await index.change((tx) => {
    const offered = index.image(parsePath('reviewed.jpg'))
    const image = offered && tx.imageOf(refOf(offered))
    if (image === undefined) throw new Error('no such image')
    tx.putToReview(image, 'peer-b')
    tx.shared.note('peer-b', { until: 300, database: 'd2' })
    tx.shared.raiseFloor(200)
    tx.shared.raiseHorizon(100)
  })
}

function encodingOf(name: string): { valueEncoding?: string } {
  return BYTES.includes(name as TableName) ? { valueEncoding: 'view' } : {}
}

async function rowsOf(database: Database): Promise<Rows> {
  const tables = await openTables(database)
  const rows: Rows = {}
  for (const [name, table] of Object.entries(tables)) {
    const found: [string, unknown][] = []
    for await (const [key, value] of table.iterator(encodingOf(name))) {
      found.push([key, value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value])
    }
    rows[name] = Object.fromEntries(found)
  }
  return rows
}

/** Writes what a fixture of this format holds. */
async function write(database: Database, format: number, more: Rows = {}): Promise<Rows> {
  const rows: Rows = { ...JSON.parse(readFileSync(fixtureOf(format), 'utf8')), ...more }
  for (const [name, table] of Object.entries(await openTables(database))) {
    for (const [key, value] of Object.entries(rows[name] ?? {})) {
      if (format < 3 && JSON_BEFORE.includes(name as TableName)) {
        await table.put(key, value, { valueEncoding: 'json' })
      } else if (format < 4 && TEXT_BEFORE.includes(name as TableName)) {
        await table.put(key, value)
      } else {
        const isBytes = BYTES.includes(name as TableName)
        const row = isBytes ? Buffer.from(value as string, 'hex') : value
        await table.put(key, row, encodingOf(name))
      }
    }
  }
  return rows
}

const parts = { random: new SeededChance(1) }
let level: BreakableLevel
beforeEach(async () => {
  level = new BreakableLevel()
  await level.open()
})

test('are the same as ever', async () => {
  const { index } = await openIndexOver(level.database, {
    writer: 'peer-a',
    parts: { random: new SeededChance(1) }
  })
  await fill(index)
  const rows = await rowsOf(level.database)
  for (const [name, found] of Object.entries(rows)) expect([name, found]).not.toEqual([name, {}])
  await expect(`${JSON.stringify(rows, null, 2)}\n`).toMatchFileSnapshot(
    fixtureOf(INDEX_FORMAT).pathname
  )
})

test.each([
  [2, 3],
  [3, 4],
  [INDEX_FORMAT, 4 + MANY]
])('of format %i are read as what they are', async (format, images) => {
  await write(level.database, format)
  const { index } = await openIndexOver(level.database, { writer: 'peer-a', parts })
  expect(index.meta('format')).toBe(INDEX_FORMAT)
  expect(await auditIndex(level.database)).toEqual([])
  expect(index.image(A)).toMatchObject({ ...draft(A, live), writer: 'peer-a' })
  expect((await index.past(A, 9)).map(({ entry, sinceMs }) => [entry.hash, sinceMs])).toEqual([
    [hashOf(old), NOW_MS]
  ])
  expect([old, live, wanted, '55'].map((byte) => index.blob(hashOf(byte))?.state)).toEqual([
    ...['trashed', 'held', 'wanted', 'damaged']
  ])
  expect(index.blob(hashOf(live))).toMatchObject({ stamp: STAMP, verifiedAtMs: NOW_MS, live: 1 })
  expect(index.blob(hashOf('55'))?.reason).toBe('other bytes were found')
  expect(await index.pathsOf(hashOf(live), 9)).toEqual([A])
  expect(await Array.fromAsync(index.wants())).toEqual([hashOf(wanted), hashOf('55')])
  for (const byte of [old, live, wanted, '55']) {
    expect(await index.hashesOf(byte.repeat(16) as Md5, 9)).toEqual([hashOf(byte)])
  }
  expect(index.view(A)).toEqual({ name: A, ino: 7, hash: hashOf(live) })
  expect(index.get(parsePath('gone.jpg'))?.deleted).toBe(true)
  expect(index.reviewedAt(parsePath('reviewed.jpg'))).toMatchObject({ from: 'peer-b' })
  expect(await Array.fromAsync(index.records('member/'))).toHaveLength(1)
  expect(index.watermarks()).toEqual({ 'peer-b': { until: 300, database: 'd2' } })
  expect([index.horizon(), index.meta('floor')]).toEqual([100, ((200n << 32n) - 1n).toString()])
  expect(index.counts()).toMatchObject({ images, heldImages: 1, wants: 2, trashBlobs: 1 })
})

test.each([2, 3, INDEX_FORMAT])('of format %i are changed like new ones', async (format) => {
  await write(level.database, format)
  const { index } = await openIndexOver(level.database, { writer: 'peer-a', parts })
  const faults = { signal: new AbortController().signal, onFaults: () => {} }
  expect(await index.selfCheck.everything(faults)).toBe(0)
  await index.change((tx) => {
    tx.putImage(draft('another.jpg', wanted))
    tx.putImage(draft('another.jpg', old))
    tx.putImage(draft('more of it.jpg', live))
    tx.setBlob(hashOf('55'), { state: 'held', stamp: STAMP })
  })
  expect(await auditIndex(level.database)).toEqual([])
  expect(await index.pathsOf(hashOf(live), 9)).toEqual([A, 'more of it.jpg'])
  expect(await Array.fromAsync(index.wants())).toEqual([hashOf(wanted)])
  await index.change(async (tx) => {
    tx.deleteImage(A)
    tx.deleteImage(parsePath('wanted.jpg'))
    expect(await tx.firstPathOf(hashOf(live))).toBe('more of it.jpg')
  })
  expect(await auditIndex(level.database)).toEqual([])
  expect(await index.pathsOf(hashOf(live), 9)).toEqual(['more of it.jpg'])
  expect(await index.selfCheck.everything(faults)).toBe(0)
})

test('of a newer format are refused, and nothing is written', async () => {
  const { meta } = JSON.parse(readFileSync(fixtureOf(INDEX_FORMAT), 'utf8')) as Rows
  const newer = await write(level.database, INDEX_FORMAT, {
    meta: { ...meta, format: INDEX_FORMAT + 1 }
  })
  await expect(openIndexOver(level.database, { writer: 'peer-a', parts })).rejects.toMatchObject({
    code: 'FOLDER_FORMAT',
    message: expect.stringMatching(/format 5; this program knows format 4.*newer.*update this one/)
  })
  expect(await rowsOf(level.database)).toEqual(newer)
})
