import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { remove } from '../../../src/flows/remove.ts'
import { restore } from '../../../src/flows/restore.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'
import { faultsOf } from '../../support/random-flows.ts'

const A = parsePath('a.svg')
const hashOf = (n: number) => digest('sha256', tinyImage(n)) as ContentHash

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

async function putAll(...images: number[]): Promise<void> {
  for (const n of images) await node.put('a.svg', tinyImage(n))
  await node.flows.settler.idle()
}

describe('an earlier version', () => {
  test('comes back, and what was there goes to the trash', async () => {
    await putAll(1, 2)
    const { entry, outcome } = await restore(node.flows, A, hashOf(1))
    await node.flows.settler.idle()
    expect([entry.hash, outcome]).toEqual([hashOf(1), 'restored'])
    expect([node.view.at('a.svg'), node.store.placeOf(hashOf(2))]).toEqual([hashOf(1), 'trash'])
  })

  test('comes back after a deletion, once', async () => {
    await putAll(1)
    await remove(node.flows, { trashKeepMs: 1000 }, A)
    expect((await restore(node.flows, A)).outcome).toBe('restored')
    expect((await restore(node.flows, A)).outcome).toBe('unchanged')
    await node.flows.settler.idle()
    expect(await faultsOf(node)).toEqual([])
  })

  test('is the newest one, however many there are', async () => {
    const { index } = node.flows
    await index.change((tx) => {
      for (let n = 0; n < 300; n++) {
        const hash = digest('sha256', String(n)) as ContentHash
        const about = { path: A, hash, md5: digest('md5', String(n)) as never, bytes: 1 }
        tx.putImage({ ...about, mediaType: 'image/svg+xml', createdMs: 0 })
        const stamp = { ino: 1, size: 1, mtimeMs: 1, ctimeMs: 1 }
        tx.setBlob(hash, { state: 'held', stamp })
      }
      tx.deleteImage(A)
    })
    const { entry } = await restore(node.flows, A)
    expect(entry.hash).toBe(digest('sha256', '299'))
    const { outcome } = await remove(node.flows, { trashKeepMs: 1000 }, A, { purge: true })
    expect([outcome, await index.past(A, 1)]).toEqual(['deleted', []])
  })
})

describe.each([
  ['gone from', (hash: ContentHash) => node.store.lose(hash)],
  ['damaged in', (hash: ContentHash) => node.store.damage(hash, 'by writing')]
])('an earlier version whose bytes are %s the trash', (_how, harm) => {
  test('is refused, and what is there stays', async () => {
    await putAll(1, 2)
    harm(hashOf(1))
    const refused = restore(node.flows, A, hashOf(1))
    await expect(refused).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
    await node.flows.settler.idle()
    expect(node.flows.index.image(A)?.hash).toBe(hashOf(2))
    expect(node.view.at('a.svg')).toBe(hashOf(2))
    expect(node.flows.index.blob(hashOf(1))).toMatchObject({ state: 'missing', live: 0 })
    expect(await faultsOf(node)).toEqual([])
  })
})

test('a refused restore leaves the trash as it was', async () => {
  await putAll(1)
  await remove(node.flows, { trashKeepMs: 1000 }, A)
  await node.flows.settler.idle()
  const other = parsePath('b.svg')
  await expect(restore(node.flows, other, hashOf(1))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await node.flows.settler.idle()
  expect(await faultsOf(node)).toEqual([])
})
