import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeEntry, KIND_IMAGE } from '../../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { versionAt } from '../../../protocols/version.ts'
import type { FlowParts } from '../../../src/flows/parts.ts'
import { remove } from '../../../src/flows/remove.ts'
import { restore } from '../../../src/flows/restore.ts'
import { verifyBlob } from '../../../src/flows/verify-blob.ts'
import { fakeRemote } from '../../support/fake-remote.ts'
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

describe('a version that only other servers keep', () => {
  const image = tinyImage(7)
  const hash = hashOf(7)
  const old = encodeEntry({
    ...{ kind: KIND_IMAGE, path: A, deleted: false, version: versionAt(1000), writer: 'peer-b' },
    ...{ hash, md5: digest('md5', image) as Md5, bytes: image.byteLength },
    ...{ mediaType: 'image/svg+xml', width: 4, createdMs: 500, sourceUrl: 'http://x/7' }
  })
  const b = { peerId: 'peer-b', name: 'b', current: undefined, past: [old], isAll: true }
  const c = { peerId: 'peer-c', name: 'c', current: undefined, past: [], isAll: true }
  let asked: string[]

  /** The node among others, of which b sends what it keeps if `sends`. */
  function beside(sends: boolean, silent: string[] = []): FlowParts {
    asked = []
    const remote = fakeRemote({
      history: async () => ({ servers: [c, b], silent }),
      bring: async (_hash, bytesMax, peerIds) => {
        asked.push(...peerIds)
        const bytes = (async function* () {
          yield image
        })()
        return sends ? node.store.stage(bytes, { bytesMax }) : undefined
      }
    })
    return { ...node.flows, remote }
  }

  test('comes from there, as it was, and stands above what was here', async () => {
    await putAll(1)
    const { entry, outcome } = await restore(beside(true), A, hash)
    await node.flows.settler.idle()
    expect(outcome).toBe('restored')
    expect(entry).toMatchObject({ hash, width: 4, createdMs: 500, sourceUrl: 'http://x/7' })
    expect([entry.writer, entry.replaces !== undefined]).toEqual(['peer-a', true])
    expect(asked).toEqual(['peer-b'])
    expect([node.view.at('a.svg'), node.store.placeOf(hashOf(1))]).toEqual([hash, 'trash'])
    expect(await faultsOf(node)).toEqual([])
  })

  test('is found without its hash where nothing is kept here', async () => {
    expect((await restore(beside(true), A)).entry.hash).toBe(hash)
  })

  test('heals all that have lost the same bytes', async () => {
    await node.put('b.svg', image)
    node.store.damage(hash, 'by writing')
    await verifyBlob(node.flows, hash)
    expect(node.view.at('b.svg')).toBeUndefined()
    await restore(beside(true), A)
    await node.flows.settler.idle()
    expect([node.view.at('a.svg'), node.view.at('b.svg')]).toEqual([hash, hash])
  })

  test('is not asked for where the version is kept here', async () => {
    await putAll(1, 2)
    await restore(beside(true), A, hashOf(1))
    await restore(beside(true), A)
    expect(asked).toEqual([])
  })

  test('stays there if its bytes do not come, and the error says where', async () => {
    await putAll(1)
    const failing = restore(beside(false), A, hash)
    await expect(failing).rejects.toMatchObject({
      code: 'NOT_AVAILABLE',
      message: expect.stringMatching(/kept on b,.*POST \/api\/restore/)
    })
    expect(node.flows.index.image(A)?.hash).toBe(hashOf(1))
    expect(await faultsOf(node)).toEqual([])
  })

  test('that nobody keeps is not found, and the error says who was not asked', async () => {
    const failing = restore(beside(true, ['d', 'e']), A, hashOf(9))
    await expect(failing).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/No server that answered keeps it.*: d, e\.$/)
    })
  })
})
