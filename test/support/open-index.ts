// An index over memory or over a temporary folder, for tests.

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryLevel } from 'memory-level'
import { systemRandom } from '../../src/base/clock.ts'
import { noFailPoints } from '../../src/base/fail-point.ts'
import { silentLog } from '../../src/base/log.ts'
import { type ImageIndex, openIndex } from '../../src/index/image-index.ts'
import { openDatabase } from '../../src/index/open-database.ts'
import type { Database } from '../../src/index/tables.ts'
import { ManualClock } from './manual-clock.ts'

export interface TestIndex {
  readonly index: ImageIndex
  readonly database: Database
  readonly clock: ManualClock
  close(): Promise<void>
}

export async function openMemoryIndex(writer = 'node-a'): Promise<TestIndex> {
  const database = new MemoryLevel<string, Uint8Array>({ valueEncoding: 'view' })
  await database.open()
  return withDatabase(database as unknown as Database, writer, () => {})
}

export async function openLevelIndex(writer = 'node-a'): Promise<TestIndex> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tumesh-index-')))
  const database = await openDatabase(join(folder, 'index'))
  return withDatabase(database, writer, () => rmSync(folder, { recursive: true }))
}

async function withDatabase(
  database: Database,
  writer: string,
  cleanUp: () => void
): Promise<TestIndex> {
  const clock = new ManualClock()
  const parts = { database, clock, random: systemRandom, log: silentLog, failPoints: noFailPoints }
  const index = await openIndex(parts, { writer })
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
