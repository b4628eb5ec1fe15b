// Data folders whose index is large from the beginning.

import { cpSync, realpathSync } from 'node:fs'
import { decodeEntry, type Entry } from '../../../protocols/entry.ts'
import type { ContentHash } from '../../../protocols/hash.ts'
import type { ImagePath } from '../../../protocols/path.ts'
import { systemClock, systemRandom } from '../../../src/base/clock.ts'
import { noFailPoints } from '../../../src/base/fail-point.ts'
import type { ImageIndex } from '../../../src/index/image-index.ts'
import { openDatabase } from '../../../src/index/open-database.ts'
import { openIndex } from '../../../src/index/open-index.ts'
import type { Transaction } from '../../../src/index/transaction.ts'
import type { Workbench } from '../../support/real-node.ts'
import { readEntries } from './made-entries.ts'

/** Changes that wait for the disk together. */
const AT_ONCE = 8

/** The index in a folder, for its one process. */
export async function openAt(folder: string): Promise<ImageIndex> {
  const database = await openDatabase(folder)
  const base = { clock: systemClock, random: systemRandom, failPoints: noFailPoints }
  return openIndex({ ...base, database, requireWritable: () => {} }, { writer: 'bench' })
}

/** As a node does with what a peer sends. */
export async function mergeAll(index: ImageIndex, raws: readonly Uint8Array[]): Promise<void> {
  const entries = raws.map(decodeEntry)
  await index.change((tx) => entries.filter((entry) => tx.merge(entry, 'peer')))
}

/**
 * Makes the data folder `name` of a node that has had entries for long: all its images are held and
 * shown, by what its rows say. No blob is there; a start reads none.
 */
export async function seedNode(bench: Workbench, name: string, file: string): Promise<void> {
  const node = await bench.start(name, { flags: ['--log-level', 'error'] })
  await node.end('SIGTERM')
  const index = await openAt(indexOf(bench, name))
  const writing: Promise<void>[] = []
  for (const raws of readEntries(file)) {
    const entries = raws.map(decodeEntry)
    const plan = (tx: Transaction) => {
      for (const entry of entries) {
        tx.merge(entry, 'peer')
        hold(tx, entry)
      }
    }
    writing.push(index.change(plan, { durable: false }))
    if (writing.length > AT_ONCE) await writing.shift()
  }
  await Promise.all(writing)
  while (await index.makeLookUps()) {}
  await index.close()
}

/** The folder of the index of a node that does not run. */
export function indexOf(bench: Workbench, name: string): string {
  return realpathSync(bench.path(name, 'metadata', 'index'))
}

export function copyIndex(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
}

function hold(tx: Transaction, { path, hash, bytes }: Entry): void {
  const stamp = { ino: 1, size: bytes, mtimeMs: 1, ctimeMs: 1 }
  tx.setBlob(hash as ContentHash, { state: 'held', stamp, verifiedAtMs: tx.nowMs })
  tx.setView(path as ImagePath, { name: path, ino: 1, hash: hash as ContentHash })
}
