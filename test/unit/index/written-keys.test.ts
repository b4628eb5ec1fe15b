import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { DatabaseRows, openRows } from '../../../src/index/database-rows.ts'
import { openTables, type Tables } from '../../../src/index/tables.ts'
import { WrittenKeys } from '../../../src/index/written-keys.ts'
import { BreakableLevel } from '../../support/breakable-level.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { openIndexOver } from '../../support/open-index.ts'

/** More than the first two pieces take. */
const KEYS = 60_000

const BLOB = {
  ...{ md5: '0'.repeat(32), bytes: 1, mediaType: 'image/png' },
  ...{ state: 'wanted', live: 1, past: 0 }
}

const key = (n: number) => createHash('sha256').update(`${n}`).digest('hex')

test('knows every key that was written, and few that were not', () => {
  const written = new WrittenKeys()
  expect(written.mayHave(key(0))).toBe(false)
  for (let n = 0; n < KEYS; n++) written.add(key(n))
  let absent = 0
  for (let n = 0; n < KEYS; n++) {
    if (!written.mayHave(key(n))) expect.unreachable(`key ${n} was written`)
    if (!written.mayHave(key(KEYS + n))) absent++
  }
  expect(absent).toBeGreaterThan(0.9 * KEYS)
})

test('keys of many alphabets and lengths are known', () => {
  const written = new WrittenKeys()
  const keys = ['', 'a', '1/ü.jpg', '1/图/片.png', 'x'.repeat(1024), '\u{1f600}']
  for (const one of keys) written.add(one)
  expect(keys.every((one) => written.mayHave(one))).toBe(true)
})

/** Tables that say so when they are read. */
async function watched(level: BreakableLevel) {
  const tables = await openTables(level.database)
  const read: string[] = []
  for (const name of ['entry', 'blob'] as const) {
    const table = tables[name]
    const getSync = table.getSync.bind(table)
    table.getSync = (key: string) => {
      read.push(`${name} ${key}`)
      return getSync(key)
    }
  }
  return { tables: tables as Tables, read }
}

test('only a table that was empty when it was opened is known without being read', async () => {
  const level = new BreakableLevel()
  await level.open()
  const { tables, read } = await watched(level)
  await tables.entry.put('1/a.jpg', Buffer.from('a'))
  const rows = await openRows(tables)
  expect(rows.get('entry', '1/b.jpg')).toBeUndefined()
  expect(rows.get('blob', 'b')).toBeUndefined()
  expect(read).toEqual(['entry 1/b.jpg'])
  rows.willHave('blob', 'b')
  await tables.blob.put('b', BLOB)
  expect(rows.get('blob', 'b')).toEqual(BLOB)
})

test('a row is found again by later changes, and after it was removed and written anew', async () => {
  const level = new BreakableLevel()
  await level.open()
  const { index } = await openIndexOver(level.database)
  const old = imageEntry('a.jpg', 1n)
  const deleted = imageEntry('a.jpg', 2n, { deleted: true })
  const anew = imageEntry('a.jpg', 3n)
  for (const entry of [old, deleted, anew]) {
    expect(await index.change((tx) => tx.merge(entry, 'peer'))).toBe(true)
    expect(await index.change((tx) => tx.merge(entry, 'peer'))).toBe(false)
  }
  expect(index.counts()).toMatchObject({ images: 1, tombstones: 0 })
})

test('what a write that failed would have held is read', async () => {
  const level = new BreakableLevel()
  await level.open()
  const { tables, read } = await watched(level)
  const rows = new DatabaseRows(tables, ['entry'])
  rows.willHave('entry', '1/a.jpg')
  expect(rows.get('entry', '1/a.jpg')).toBeUndefined()
  expect(read).toEqual(['entry 1/a.jpg'])
})
