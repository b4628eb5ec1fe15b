import { expect, test } from 'vitest'
import { decodeEntry, encodeEntry, isTombstone } from '../../../protocols/entry.ts'
import { EMPTY_NODE, type TreeNode } from '../../../protocols/time-tree-shape.ts'
import { versionAt } from '../../../protocols/version.ts'
import { INDEX_FORMAT } from '../../../src/index/open-index.ts'
import { openTables } from '../../../src/index/tables.ts'
import { treeKeys } from '../../../src/index/time-tree.ts'
import { auditIndex } from '../../support/audit-index.ts'
import { BreakableLevel } from '../../support/breakable-level.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { openIndexOver } from '../../support/open-index.ts'

/** More deleted records than are read at a time. */
const RECORDS = 600
/** Another kind, from a newer program. */
const KIND_NEWER = 10

async function formatOneIndex(): Promise<BreakableLevel> {
  const level = new BreakableLevel()
  await level.open()
  const { index, database } = await openIndexOver(level.database)
  const entries = [
    imageEntry('a.jpg', versionAt(1_700_000_000_000)),
    imageEntry('b.jpg', versionAt(1_700_000_000_000), { deleted: true }),
    ...Array.from({ length: RECORDS }, (_, at) => recordEntry(2, `member/${at}`, at % 3 > 0)),
    recordEntry(KIND_NEWER, 'newer/deleted', true),
    recordEntry(KIND_NEWER, 'newer/live', false)
  ]
  await index.change((tx) => {
    for (const entry of entries) tx.merge(entry, 'peer')
  })
  const tables = await openTables(database)
  for (const [key, node] of formatOneTree(entries.map(({ raw }) => raw))) {
    await tables.tree.put(key, node)
  }
  await tables.meta.put('format', 1)
  return level
}

function recordEntry(kind: number, path: string, deleted: boolean) {
  const at = path.length % 2 === 0 ? 1_500_000_000_000 : 1_700_000_000_000
  return encodeEntry({
    ...{ kind, path, deleted, version: versionAt(at), writer: 'a' },
    ...{ bytes: 0, mediaType: '', createdMs: 1 }
  })
}

/** As the program of format 1 added up. */
function formatOneTree(raws: readonly Uint8Array[]): Map<string, TreeNode> {
  const tree = new Map<string, TreeNode>()
  for (const entry of raws.map(decodeEntry)) {
    const id = BigInt(`0x${Buffer.from(entry.id).toString('hex')}`)
    for (const key of treeKeys(entry.version)) {
      const { live, dead, liveSum, deadSum } = tree.get(key) ?? EMPTY_NODE
      const add = (sum: bigint) => BigInt.asUintN(256, sum + id)
      tree.set(
        key,
        entry.deleted
          ? { live, liveSum, dead: dead + 1, deadSum: add(deadSum) }
          : { live: live + 1, liveSum: add(liveSum), dead, deadSum }
      )
    }
  }
  return tree
}

test('an index of format 1 is upgraded when it is opened', async () => {
  const level = await formatOneIndex()
  expect(await auditIndex(level.database)).not.toEqual([])
  const { index } = await openIndexOver(level.database)
  expect(index.meta('format')).toBe(INDEX_FORMAT)
  expect(await auditIndex(level.database)).toEqual([])
  expect(index.root()).toMatchObject({ live: RECORDS + 3, dead: 1 })
})

test('an upgrade that the disk refuses is made at the next opening', async () => {
  const level = await formatOneIndex()
  level.failNext(new Error('IO error: no space left on device'))
  await expect(openIndexOver(level.database)).rejects.toMatchObject({ code: 'DISK_FULL' })
  await level.close()
  await level.open()
  const { index } = await openIndexOver(level.database)
  expect(index.meta('format')).toBe(INDEX_FORMAT)
  expect(await auditIndex(level.database)).toEqual([])
})

test('a newer index is refused', async () => {
  const level = new BreakableLevel()
  await level.open()
  const { database } = await openIndexOver(level.database)
  await (await openTables(database)).meta.put('format', INDEX_FORMAT + 1)
  await expect(openIndexOver(level.database)).rejects.toMatchObject({ code: 'FOLDER_FORMAT' })
})

test('only tombstones of images are dead', () => {
  expect(isTombstone(recordEntry(2, 'r', true))).toBe(false)
  expect(isTombstone(imageEntry('a.jpg', 1n, { deleted: true }))).toBe(true)
  expect(isTombstone(imageEntry('a.jpg', 1n))).toBe(false)
})
