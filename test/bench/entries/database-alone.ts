// What the database alone takes for the rows of entries that come as a whole index, with nothing
// decided, compared or sent: no node is quicker than that.

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeEntry, type ImageEntry } from '../../../protocols/entry.ts'
import { versionKey } from '../../../protocols/version.ts'
import { openDatabase } from '../../../src/index/open-database.ts'
import type { BlobRow } from '../../../src/index/rows.ts'
import { type Database, entryKey, keys, openTables } from '../../../src/index/tables.ts'
import { printTable, short } from '../support/figures.ts'
import { measure } from '../support/machine.ts'
import { type Making, readEntries } from './made-entries.ts'

type Put = (table: 'entry' | 'version' | 'blob' | 'want', key: string, value: unknown) => void

const REF = new Uint8Array(8)

/** Rows of one image that is not here, from what is written now down to less than it could be. */
const LAYOUTS: Readonly<Record<string, (entry: ImageEntry, put: Put) => void>> = {
  'entry, version, blob, want': (entry, put) => {
    putNames(entry, put, entry.raw)
    put('blob', entry.hash, blobOf(entry))
    put('want', keys.want(versionKey(entry.version), entry.hash), '')
  },
  'the same, bytes in the order of versions alone': (entry, put) => {
    putNames(entry, put, REF)
    put('blob', entry.hash, blobOf(entry))
    put('want', keys.want(versionKey(entry.version), entry.hash), '')
  },
  'that without want, and the blob without its path': (entry, put) => {
    putNames(entry, put, REF)
    put('blob', entry.hash, { ...blobOf(entry), path: undefined })
  }
}

/** `file`: the entries. */
export async function databaseAlone(file: string, { count }: Making): Promise<void> {
  const rows: string[][] = []
  for (const [name, write] of Object.entries(LAYOUTS)) {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-bench-')))
    try {
      const database = await openDatabase(join(folder, 'index'))
      const cpu = process.cpuUsage()
      const loop = process.threadCpuUsage()
      const { seconds, foreignCores } = await measure([], () => writeAll(database, file, write))
      const us = ({ user, system }: NodeJS.CpuUsage) => short((user + system) / count)
      const figures = [us(process.cpuUsage(cpu)), us(process.threadCpuUsage(loop))]
      rows.push([name, short(seconds), ...figures, foreignCores.toFixed(2)])
      await database.close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const head = ['rows', 'seconds', 'CPU us an entry', 'on the event loop', 'foreign cores']
  printTable([head, ...rows])
}

async function writeAll(
  database: Database,
  file: string,
  write: (entry: ImageEntry, put: Put) => void
): Promise<void> {
  const tables = await openTables(database)
  let before = Promise.resolve()
  for (const raws of readEntries(file)) {
    const batch = database.batch()
    const put: Put = (table, key, value) => {
      batch.put(key, value as Uint8Array, { sublevel: tables[table] })
    }
    for (const raw of raws) write(decodeEntry(raw) as ImageEntry, put)
    await before // one is written while the next is made, as the index does
    before = batch.write({ sync: true } as object)
  }
  await before
}

function putNames(entry: ImageEntry, put: Put, byPath: Uint8Array): void {
  const key = entryKey(entry.kind, entry.path)
  put('entry', key, byPath)
  put('version', keys.version(entry.version, key), entry.raw)
}

function blobOf({ bytes, md5, mediaType, version, path }: ImageEntry): BlobRow {
  const about = { bytes, md5, mediaType, state: 'wanted', live: 1, past: 0 } as const
  return { ...about, want: versionKey(version), path }
}
