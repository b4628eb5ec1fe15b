import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { ingest } from '../../../src/flows/ingest.ts'
import { recover } from '../../../src/flows/recover.ts'
import { remove } from '../../../src/flows/remove.ts'
import { keepUnnamed } from '../../../src/flows/sweep-unnamed.ts'
import {
  DAY_MS,
  type MemoryNode,
  makeMemoryDisk,
  openMemoryNode,
  tinyImage
} from '../../support/memory-node.ts'
import { faultsOf } from '../../support/random-flows.ts'

const HASH = digest('sha256', tinyImage(1)) as ContentHash
const A = parsePath('a.svg')
const FULL = new Error('No space left on device')

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

const put = (path = 'a.svg') => node.put(path, tinyImage(1))

describe('when the index can not be written', () => {
  test.each([
    ['there', true],
    ['not there', false]
  ])(
    'the bytes stay until the next start, which finds that the batch is %s',
    async (_how, isWritten) => {
      await node.put('a.svg', tinyImage(0))
      void node.level.failNext(FULL, { isWritten })
      await expect(put()).rejects.toMatchObject({ code: 'DISK_FULL' })
      await node.flows.index.upkeep.reopen()
      expect(node.flows.index.image(A)?.hash === HASH).toBe(isWritten)
      expect(node.store.placeOf(HASH)).toBe('blobs')
      node = await openMemoryNode({ disk: node })
      await recover(node.flows)
      expect(node.store.placeOf(HASH)).toBe(isWritten ? 'blobs' : undefined)
      expect(await faultsOf(node)).toEqual([])
    }
  )

  test('nothing more is taken in', async () => {
    void node.level.failNext(FULL)
    await expect(put()).rejects.toMatchObject({ code: 'DISK_FULL' })
    const left = node.store.leftovers()
    node.store.lose(HASH)
    await expect(put()).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(node.store.placeOf(HASH)).toBeUndefined()
    expect(node.store.leftovers()).toEqual(left)
  })
})

test('bytes that are there already were not verified by their arrival', async () => {
  await put()
  const before = node.flows.index.blob(HASH)?.verifiedAtMs
  node.clock.advance(1000)
  await put('b.svg')
  expect(node.flows.index.blob(HASH)?.verifiedAtMs).toBe(before)
})

test('bytes that were changed on the disk are kept in quarantine when the right ones come', async () => {
  await put()
  await node.flows.settler.idle()
  node.store.damage(HASH, 'by writing')
  const damaged = (await node.store.rehash(HASH))?.hash
  await put('b.svg')
  expect((await node.store.rehash(HASH))?.hash).toBe(HASH)
  const kept = node.store.quarantined(`${HASH}.1`)
  expect(kept && digest('sha256', kept)).toBe(damaged)
})

test('a file that was only touched is verified, not written again', async () => {
  await put()
  await node.flows.settler.idle()
  const { ino } = node.store.stamp(HASH) ?? {}
  node.store.linked(HASH)
  await put('b.svg')
  await node.flows.settler.idle()
  expect(node.store.stamp(HASH)?.ino).toBe(ino)
})

test('a refused upload leaves the trash as it was', async () => {
  await put()
  await node.put('b.svg', tinyImage(2))
  await remove(node.flows, { trashKeepMs: 7 * DAY_MS }, A)
  await node.flows.settler.idle()
  const source = (async function* () {
    yield tinyImage(1)
  })()
  const staged = await node.store.stage(source, { bytesMax: 1000 })
  const { ingest } = await import('../../../src/flows/ingest.ts')
  const upload = { path: parsePath('b.svg'), replace: 'never' as const }
  const refused = ingest(node.flows, node.options.ingest, staged, upload)
  await expect(refused).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
  await node.flows.settler.idle()
  expect(await faultsOf(node)).toEqual([])
})

test.each([
  ['stay where the index that named them was lost', 'blobs'],
  ['go where none was', undefined]
] as const)('bytes without a name, of which an upload is refused, %s', async (_how, place) => {
  await put()
  await node.flows.settler.idle()
  const { store, view } = node
  await node.close()
  node = await openMemoryNode({ disk: { ...(await makeMemoryDisk()), store, view } })
  if (place !== undefined) await keepUnnamed(node.flows)
  await node.put('b.svg', tinyImage(2))
  const staged = store.stageWhole(tinyImage(1))
  const upload = { path: parsePath('b.svg'), replace: 'never' } as const
  const refused = ingest(node.flows, node.options.ingest, staged, upload)
  await expect(refused).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
  expect(store.placeOf(HASH)).toBe(place)
})
