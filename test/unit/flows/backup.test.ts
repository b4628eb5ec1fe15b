import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
import { backupLines, restoreBackup } from '../../../src/flows/backup.ts'
import { remove } from '../../../src/flows/remove.ts'
import { openTables } from '../../../src/index/tables.ts'
import {
  addEntries,
  DAY_MS,
  type MemoryNode,
  makeMemoryDisk,
  openMemoryNode,
  tinyImage
} from '../../support/memory-node.ts'

const never = new AbortController().signal

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
  await addEntries(node, ['a.jpg', 'b.jpg', 'c.jpg'])
})
afterEach(() => node.close())

const linesOf = ({ flows }: MemoryNode) => Array.fromAsync(backupLines(flows, never))

async function damage({ database }: MemoryNode, path: string): Promise<void> {
  await (await openTables(database)).entry.put(`1/${path}`, Buffer.from('?'))
}

/** Its bytes lie in the order of versions, too. */
async function damageBoth(node: MemoryNode, path: string): Promise<void> {
  await damage(node, path)
  const { version } = await openTables(node.database)
  for await (const [key, row] of version.iterator()) {
    if (Buffer.from(row as Uint8Array).includes(path)) await version.put(key, Buffer.from('?'))
  }
}

async function restored(into: MemoryNode, lines: readonly string[]) {
  return restoreBackup(
    into.flows,
    (async function* () {
      yield* lines
    })(),
    never
  )
}

test.each([
  ['in one place is in the backup', damage, 3],
  ['in both places is in the way of no backup', damageBoth, 2]
])('an entry that the disk has damaged %s', async (_what, damageIt, entries) => {
  await damageIt(node, 'b.jpg')
  const other = await openMemoryNode({ peerId: 'peer-b' })
  expect(await restored(other, await linesOf(node))).toMatchObject({ entries, taken: entries })
  expect(other.flows.index.image(parsePath('c.jpg'))).toBeDefined()
  await other.close()
})

test('nor of one that is taken in', async () => {
  const lines = await linesOf(node)
  await damage(node, 'b.jpg')
  expect(await restored(node, lines)).toMatchObject({ entries: 3, taken: 0 })
})

test.each([
  ['ends too early', (lines: string[]) => lines.slice(0, 3)],
  ['has a line that is none', (lines: string[]) => lines.with(3, '{')]
])('what came before the place where a backup %s is here', async (_what, harm) => {
  const other = await openMemoryNode({ peerId: 'peer-b' })
  const refused = restored(other, harm(await linesOf(node)))
  await expect(refused).rejects.toThrow('What came before that is here now')
  expect(other.flows.index.counts().images).toBe(2)
  await other.close()
})

test('what follows the end of a backup is no part of it', async () => {
  const lines = await linesOf(node)
  const other = await openMemoryNode({ peerId: 'peer-b' })
  await expect(restored(other, [...lines, lines[1] as string])).rejects.toMatchObject({
    code: 'BAD_REQUEST'
  })
  await other.close()
})

test('bytes that were in the trash when the index was lost are found, too', async () => {
  const path = parsePath('d.svg')
  const { entry } = await node.put(path, tinyImage(1))
  const lines = await linesOf(node)
  await remove(node.flows, { trashKeepMs: DAY_MS }, path)
  await node.flows.settler.idle()
  expect(node.store.placeOf(entry.hash)).toBe('trash')
  const again = await openMemoryNode({ disk: { ...node, level: (await makeMemoryDisk()).level } })
  expect(await restored(again, lines)).toMatchObject({ found: 1 })
  expect(again.flows.index.blob(entry.hash)?.state).toBe('held')
  expect(again.view.at(path)).toBe(entry.hash)
  await again.close()
})
