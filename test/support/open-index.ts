// An index over memory or over a temporary folder, for tests.

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryLevel } from 'memory-level'
import { systemRandom } from '../../src/base/clock.ts'
import { noFailPoints } from '../../src/base/fail-point.ts'
import type { ImageIndex } from '../../src/index/image-index.ts'
import { openDatabase } from '../../src/index/open-database.ts'
import { openIndex } from '../../src/index/open-index.ts'
import type { IndexParts } from '../../src/index/ports.ts'
import type { Database } from '../../src/index/tables.ts'
import { ManualClock } from './manual-clock.ts'

export interface TestIndex {
  readonly index: ImageIndex
  readonly database: Database
  readonly clock: ManualClock
  close(): Promise<void>
}

export async function openMemoryIndex(writer?: string, clock?: ManualClock): Promise<TestIndex> {
  const database = new MemoryLevel<string, Uint8Array>({ valueEncoding: 'view' })
  await database.open()
  return openIndexOver(database as unknown as Database, { writer, clock })
}

export async function openLevelIndex(writer?: string): Promise<TestIndex> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-index-')))
  const database = await openDatabase(join(folder, 'index'))
  const cleanUp = () => rmSync(folder, { recursive: true })
  return openIndexOver(database, { writer, cleanUp })
}

interface OverOptions {
  readonly writer?: string | undefined
  readonly clock?: ManualClock | undefined
  readonly parts?: Partial<IndexParts>
  readonly cleanUp?: () => void
}

/** An index over a database that is open; closing it closes that, then cleans up. */
export async function openIndexOver(
  database: Database,
  { writer = 'node-a', clock = new ManualClock(), parts = {}, cleanUp = () => {} }: OverOptions = {}
): Promise<TestIndex> {
  const base = { clock, random: systemRandom, failPoints: noFailPoints, requireWritable: () => {} }
  const index = await openIndex({ ...base, database, ...parts }, { writer })
  return {
    index,
    database,
    clock,
    async close() {
      await index.close()
      cleanUp()
    }
  }
}
