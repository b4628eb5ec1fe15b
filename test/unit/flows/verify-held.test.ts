import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { verifyHeld } from '../../../src/flows/verify-held.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'

const hashOf = (n: number) => digest('sha256', tinyImage(n)) as ContentHash
const [A, B, C] = [hashOf(1), hashOf(2), hashOf(3)]
const never = new AbortController().signal

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
  for (let n = 1; n <= 3; n++) await node.put(`${n}.svg`, tinyImage(n))
  await node.flows.settler.idle()
})
afterEach(() => node.close())

const row = (hash: ContentHash) => node.flows.index.blob(hash)
const run = async (hashes = [A, B, C]) => [...(await verifyHeld(node.flows, hashes, never))]

/** Has something happen after a blob was read and before that is noted. */
function afterRead(of: ContentHash, task: () => Promise<unknown>): void {
  const { rehash } = node.store
  node.store.rehash = async (hash, ...given) => {
    const read = await rehash.call(node.store, hash, ...given)
    if (hash === of) await task()
    return read
  }
}

test('those that are right are noted as verified now, in one change', async () => {
  node.clock.advance(1000)
  const before = node.flows.index.revision
  expect(await run()).toEqual([A, B, C])
  expect(node.flows.index.revision).toBe(before + 1)
  for (const hash of [A, B, C]) expect(row(hash)?.verifiedAtMs).toBe(node.clock.now())
})

test('of what is damaged, gone or unreadable nothing is said, and nothing moves', async () => {
  const before = [A, B, C].map(row)
  node.store.damage(A, 'silently')
  await node.store.moveTo(B, 'trash')
  const { rehash } = node.store
  node.store.rehash = async (hash, ...given) => {
    if (hash === C) throw new Error('EIO')
    return rehash.call(node.store, hash, ...given)
  }
  node.clock.advance(1000)
  expect(await run()).toEqual([])
  expect([A, B, C].map(row)).toEqual(before)
  expect(node.store.placeOf(A)).toBe('blobs')
})

test('one that is deleted after it was read stays in the trash', async () => {
  afterRead(B, async () => {
    await node.flows.index.change((tx) => tx.deleteImage(parsePath('2.svg')))
    await node.flows.settler.settleBlob(B)
  })
  expect(await run()).toEqual([A, C])
  expect(row(B)).toMatchObject({ state: 'trashed', live: 0 })
})

test('another file that took its place is not called verified', async () => {
  const ino = 1_000_000
  afterRead(B, () =>
    node.flows.index.change((tx) => {
      const stamp = { ...(row(B)?.stamp as NonNullable<ReturnType<typeof row>>['stamp']), ino }
      tx.setBlob(B, { state: 'held', stamp: stamp as never })
    })
  )
  expect(await run()).toEqual([A, C])
  expect(row(B)?.stamp?.ino).toBe(ino)
})

test('a link that was made after it was read is remembered', async () => {
  let stamp = row(B)?.stamp
  afterRead(B, async () => {
    await node.store.moveTo(B, 'trash')
    stamp = await node.store.moveTo(B, 'blobs')
    await node.flows.index.change((tx) => tx.setBlob(B, { state: 'held', stamp }))
  })
  node.clock.advance(1000)
  expect(await run()).toEqual([A, B, C])
  expect(row(B)).toMatchObject({ stamp, verifiedAtMs: node.clock.now() })
})

test('it ends when it is told to', async () => {
  const stopping = new AbortController()
  afterRead(B, async () => stopping.abort(new Error('stop')))
  await expect(verifyHeld(node.flows, [A, B, C], stopping.signal)).rejects.toThrow('stop')
})
