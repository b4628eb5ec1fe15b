import { hash as digest } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { NodeError } from '../../../src/base/errors.ts'
import { recover } from '../../../src/flows/recover.ts'
import { remove } from '../../../src/flows/remove.ts'
import type { ImageDraft } from '../../../src/index/transaction.ts'
import { Death } from '../../support/death.ts'
import {
  DAY_MS,
  type MemoryDisk,
  type MemoryNode,
  makeMemoryDisk,
  openMemoryNode,
  tinyImage
} from '../../support/memory-node.ts'
import { faultsOf } from '../../support/random-flows.ts'

const TRASH = { trashKeepMs: 7 * DAY_MS }
const A = parsePath('a.svg')
const hashOf = (n: number) => digest('sha256', tinyImage(n)) as ContentHash

let disk: MemoryDisk
let node: MemoryNode
beforeEach(async () => {
  disk = await makeMemoryDisk()
  node = await openMemoryNode({ disk })
})
afterEach(() => node.close())

/** The same disk under a node that has just started. */
async function restart(): Promise<void> {
  node = await openMemoryNode({ disk })
  await recover(node.flows)
}

describe('a start after a crash', () => {
  test('shows no image that was deleted before its view was noted', async () => {
    const death = new Death(3) // publish and show: what was shown is visible, its row not written
    const dying = await openMemoryNode({ disk, wrap: death.wrap })
    void dying.put('a.svg', tinyImage(1))
    await death.coming
    expect(disk.view.at('a.svg')).toBe(hashOf(1))
    void remove(dying.flows, TRASH, A)
    await new Promise((resolve) => setImmediate(resolve))
    await restart()
    expect([node.flows.index.image(A), disk.view.at('a.svg')]).toEqual([undefined, undefined])
    expect(await faultsOf(node)).toEqual([])
  })

  test('shows none later either, if it could not be looked at then', async () => {
    const death = new Death(3)
    const dying = await openMemoryNode({ disk, wrap: death.wrap })
    void dying.put('a.svg', tinyImage(1))
    await death.coming
    void remove(dying.flows, TRASH, A)
    await new Promise((resolve) => setImmediate(resolve))
    const { sweep } = disk.view
    disk.view.sweep = async () => {
      throw new NodeError('READ_ONLY', 'The marker is gone.')
    }
    await restart()
    expect(disk.view.at('a.svg')).toBe(hashOf(1))
    disk.view.sweep = sweep
    await node.flows.settler.settleAll()
    expect(disk.view.at('a.svg')).toBeUndefined()
    expect(await faultsOf(node)).toEqual([])
  })

  test('leaves a file alone that somebody else has put in the place of the view', async () => {
    await node.put('a.svg', tinyImage(1))
    await node.flows.settler.idle()
    disk.view.write('a.svg')
    await node.flows.index.change((tx) => tx.deleteImage(A))
    await restart()
    expect(disk.view.at('a.svg')).toBe('foreign')
  })

  test('succeeds though the disk refuses what is left to do, and goes on when it does not', async () => {
    for (const n of [1, 2, 3]) await node.put(`${n}.svg`, tinyImage(n))
    await node.flows.settler.idle()
    await node.flows.index.change((tx) => {
      for (const n of [1, 2, 3]) tx.deleteImage(parsePath(`${n}.svg`))
    })
    disk.store.fault = new NodeError('DISK_FULL', 'The disk was full.')
    await restart()
    expect(disk.view.at('1.svg')).toBeUndefined()
    disk.store.fault = undefined
    expect(await node.flows.settler.settleAll()).toBe(3)
    await node.flows.settler.idle()
    expect([1, 2, 3].map((n) => disk.store.placeOf(hashOf(n)))).toEqual(Array(3).fill('trash'))
  })
})

test('a path is shown whose blob is still on its way out of the trash', async () => {
  await node.put('a.svg', tinyImage(1))
  await remove(node.flows, TRASH, A)
  await node.flows.settler.idle()
  const [old] = await node.flows.index.past(A, 1)
  const b = parsePath('b.svg')
  // as an entry of another node does
  await node.flows.index.change((tx) => tx.putImage({ ...old?.entry, path: b } as ImageDraft))
  await node.flows.settler.settleView(b)
  expect(disk.view.at('b.svg')).toBe(hashOf(1))
  await node.flows.settler.idle()
  expect(await faultsOf(node)).toEqual([])
})

test('nothing is left to settle after a change, once it is quiet', async () => {
  await node.put('a.svg', tinyImage(1))
  await node.put('a.svg', tinyImage(2))
  await remove(node.flows, TRASH, A)
  await node.flows.settler.idle()
  expect(await faultsOf(node)).toEqual([])
})

test('bytes that were removed are not held, though something names them again meanwhile', async () => {
  const { entry } = await node.put('a.svg', tinyImage(1))
  const { index, settler } = node.flows
  const { store } = disk
  const removed = store.remove.bind(store)
  store.remove = async (hash) => {
    await removed(hash)
    await index.change((tx) =>
      tx.putImage({ ...entry, path: A, hash, md5: entry.md5 as never, createdMs: 0 })
    )
  }
  await remove(node.flows, TRASH, A, { purge: true })
  await settler.settleAll()
  await settler.idle()
  expect(index.blob(hashOf(1))).toMatchObject({ state: 'wanted', live: 1 })
  expect(await faultsOf(node)).toEqual([])
})

test('settling ends when it is told to', async () => {
  for (const n of [1, 2, 3]) await node.put(`${n}.svg`, tinyImage(n))
  await node.flows.index.change((tx) => {
    for (const n of [1, 2, 3]) tx.deleteImage(parsePath(`${n}.svg`))
  })
  expect(await node.flows.settler.settleAll({ signal: AbortSignal.abort() })).toBe(0)
})

test('settling does not wait for what others are about', async () => {
  const gate = Promise.withResolvers<void>()
  disk.view.durable = () => gate.promise
  await node.put('a.svg', tinyImage(1))
  await node.flows.settler.settleAll()
  gate.resolve()
})
