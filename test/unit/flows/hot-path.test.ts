// A path that is written again and again, as of a camera, has versions without number: no single
// change of the index goes through all of them, for all others wait for it.

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ImageEntry } from '../../../protocols/entry.ts'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { remove } from '../../../src/flows/remove.ts'
import { restore } from '../../../src/flows/restore.ts'
import type { Transaction } from '../../../src/index/transaction.ts'
import { hashOf, putImage } from '../../support/filled-index.ts'
import { imageEntry } from '../../support/memory-entries.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

const VERSIONS = 1500
const GROUP_MAX = 256
const A = parsePath('a.png')
const TRASH = { trashKeepMs: 1000 }

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
  await node.flows.index.change((tx) => {
    for (let n = 0; n < VERSIONS; n++) putImage(tx, A, `${n}`)
  })
})
afterEach(() => node.close())

/** The most past versions that one change has looked at or dropped, from now on. */
function watchChanges(): () => number {
  const { index } = node.flows
  const change = index.change.bind(index)
  let most = 0
  index.change = (work, options) =>
    change((tx: Transaction) => {
      let count = 0
      const pastOf = tx.pastOf.bind(tx)
      tx.pastOf = async function* (path) {
        for await (const one of pastOf(path)) {
          most = Math.max(most, ++count)
          yield one
        }
      }
      return work(tx)
    }, options)
  return () => most
}

const past = () => Array.fromAsync(node.flows.index.pastOf(A))

test('its purge is many changes, and what comes meanwhile is left', async () => {
  const most = watchChanges()
  const purging = remove(node.flows, TRASH, A, { purge: true })
  const { index } = node.flows
  for (const content of ['new', 'newer']) await index.change((tx) => putImage(tx, A, content))
  expect(await purging).toMatchObject({ outcome: 'deleted', isShared: false })
  expect(most()).toBeLessThanOrEqual(GROUP_MAX + 2)
  expect(index.image(A)?.hash).toBe(hashOf('newer'))
  expect((await past()).map(({ entry }) => entry.hash)).toEqual([hashOf('new')])
  expect(index.blob(hashOf('7'))).toBeUndefined()
})

test('so is the purge of one that was deleted before', async () => {
  await remove(node.flows, TRASH, A)
  const most = watchChanges()
  expect((await remove(node.flows, TRASH, A, { purge: true })).outcome).toBe('purged')
  expect((await remove(node.flows, TRASH, A, { purge: true })).outcome).toBe('gone')
  expect(most()).toBeLessThanOrEqual(GROUP_MAX + 2)
  expect(await past()).toEqual([])
})

test('a purge takes what is newer than the deletion, as what was put to review', async () => {
  const { index } = node.flows
  const first = await Array.fromAsync(index.pastOf(A))
  await index.change((tx) => tx.putToReview(index.image(A) as ImageEntry, 'peer-b'))
  const version = (first.at(-1)?.entry.version ?? 0n) + 1n
  const deletion = imageEntry(A, version, { writer: 'peer-b', deleted: true })
  await index.change((tx) => tx.merge(deletion, 'peer-b'))
  expect(index.get(A)?.version).toBe(version)
  expect((await remove(node.flows, TRASH, A, { purge: true })).outcome).toBe('purged')
  expect(await past()).toEqual([])
})

test('an old version of it is found before the change that brings it back', async () => {
  const most = watchChanges()
  const { index } = node.flows
  const stamp = { ino: 1, size: 1, mtimeMs: 1, ctimeMs: 1 }
  await index.change((tx) => tx.setBlob(hashOf('3'), { state: 'trashed', stamp }))
  node.flows.settler.recall = async () => {}
  expect((await restore(node.flows, A, hashOf('3'))).outcome).toBe('restored')
  expect(index.image(A)?.hash).toBe(hashOf('3'))
  const unknown = 'f'.repeat(64) as ContentHash
  await expect(restore(node.flows, A, unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(most()).toBeLessThanOrEqual(1)
})
