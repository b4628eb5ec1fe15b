import { hash as digest } from 'node:crypto'
import { expect, test } from 'vitest'
import { type ContentHash, type Md5, parseHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { recover } from '../../../src/flows/recover.ts'
import { openMemoryNode, tinyImage } from '../../support/memory-node.ts'

test('only beginnings of blobs that are lacking stay', async () => {
  const { flows, store, put, close } = await openMemoryNode()
  const wanted = parseHash(digest('sha256', 'wanted'))
  const about = { bytes: 9, md5: digest('md5', 'wanted') as Md5, mediaType: 'image/png' }
  const blocked = parseHash(digest('sha256', 'blocked'))
  await flows.index.change((tx) => {
    tx.putImage({ ...about, path: parsePath('wanted.png'), hash: wanted, createdMs: 1 })
    tx.putImage({ ...about, path: parsePath('blocked.png'), hash: blocked, createdMs: 1 })
  })
  await flows.index.change((tx) => tx.setBlob(blocked, { state: 'blocked' }))
  await put('held.svg', tinyImage(1))
  const held = digest('sha256', tinyImage(1)) as ContentHash
  const unknown = parseHash('ab'.repeat(32))
  for (const hash of [wanted, held, unknown, blocked]) {
    const partial = await store.openPartial(hash, 9)
    await partial.append([new Uint8Array(4)])
    partial.close()
  }
  await recover(flows)
  expect(store.partials()).toEqual([wanted])
  await close()
})
