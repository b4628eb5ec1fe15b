import { afterEach, beforeEach, expect, test } from 'vitest'
import { parsePath } from '../../../protocols/path.ts'
import { backupLines, restoreBackup } from '../../../src/flows/backup.ts'
import { openTables } from '../../../src/index/tables.ts'
import { addEntries, type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

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

async function restored(into: MemoryNode, lines: readonly string[]) {
  return restoreBackup(
    into.flows,
    (async function* () {
      yield* lines
    })(),
    never
  )
}

test('an entry that the disk has damaged is in the way of no backup', async () => {
  await damage(node, 'b.jpg')
  const other = await openMemoryNode({ peerId: 'peer-b' })
  expect(await restored(other, await linesOf(node))).toMatchObject({ entries: 2, taken: 2 })
  expect(other.flows.index.image(parsePath('c.jpg'))).toBeDefined()
  await other.close()
})

test('nor of one that is taken in', async () => {
  const lines = await linesOf(node)
  await damage(node, 'b.jpg')
  expect(await restored(node, lines)).toMatchObject({ entries: 3, taken: 0 })
})

test('what follows the end of a backup is no part of it', async () => {
  const lines = await linesOf(node)
  const other = await openMemoryNode({ peerId: 'peer-b' })
  await expect(restored(other, [...lines, lines[1] as string])).rejects.toMatchObject({
    code: 'BAD_REQUEST'
  })
  await other.close()
})
