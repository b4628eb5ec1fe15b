import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ImageEntry } from '../../../protocols/entry.ts'
import type { ContentHash } from '../../../protocols/hash.ts'
import { parsePath } from '../../../protocols/path.ts'
import { EMPTY_NODE, isSameNode, ROOT_KEY } from '../../../protocols/time-tree-shape.ts'
import type { Log } from '../../../src/base/log.ts'
import { silentLog } from '../../../src/base/log.ts'
import { checkIndexDaily } from '../../../src/flows/check-index.ts'
import { remove } from '../../../src/flows/remove.ts'
import { sweepUnnamed } from '../../../src/flows/sweep-unnamed.ts'
import { verify } from '../../../src/flows/verify.ts'
import { openTables } from '../../../src/index/tables.ts'
import { auditIndex } from '../../support/audit-index.ts'
import {
  addEntries,
  DAY_MS,
  type MemoryNode,
  openMemoryNode,
  tinyImage
} from '../../support/memory-node.ts'

const path = parsePath('a.svg')

let node: MemoryNode
let lines: { level: string; about: Record<string, unknown> }[]
beforeEach(async () => {
  node = await openMemoryNode()
  await node.put('a.svg', tinyImage(1))
  lines = []
})
afterEach(() => node.close())

const { signal } = new AbortController()
const check = () => {
  const note = (level: string) => (about: object) => {
    lines.push({ level, about: about as Record<string, unknown> })
  }
  const log = { ...silentLog, error: note('error'), debug: note('debug') } as unknown as Log
  return checkIndexDaily({ ...node.flows, log }, signal)
}
const damageRoot = async () => {
  const tables = await openTables(node.database)
  await tables.tree.put(ROOT_KEY, { ...EMPTY_NODE, live: 9 })
}
const reasons = () => node.http.status().reasons
const health = () => node.http.status().health

test('a wrong sum is mended, said at once, and told in the status for a day', async () => {
  await damageRoot()
  await check()
  expect(lines[0]).toEqual({
    level: 'error',
    about: { kind: 'sum', subject: `tree ${ROOT_KEY}: 9 and 0 instead of 1 and 0` }
  })
  expect(await auditIndex(node.database)).toEqual([])
  expect([health(), ...reasons()]).toEqual([
    'degraded',
    'The index had 1 fault, last at 2023-11-14 22:13 UTC, and was rebuilt there. ' +
      'If this comes again, check the disk and the memory of this machine.'
  ])
  node.clock.advance(DAY_MS + 1)
  expect([health(), reasons()]).toEqual(['healthy', []])
})

test('the next round begins a day after the last one has ended', async () => {
  await check()
  await damageRoot()
  node.clock.advance(DAY_MS - 1)
  await check()
  expect(node.flows.index.root().live).toBe(9)
  node.clock.advance(1)
  await check()
  expect(node.flows.index.root().live).toBe(1)
})

test('a clock that was wrong when the last round ended does not keep the next one back', async () => {
  node.clock.jump(400 * DAY_MS)
  await check()
  node.clock.jump(-400 * DAY_MS)
  await damageRoot()
  await check()
  expect(node.flows.index.root().live).toBe(1)
})

test('many faults are a few lines in the log and a number in the status', async () => {
  await addEntries(
    node,
    Array.from({ length: 100 }, (_, n) => `${n}.jpg`)
  )
  while (await node.flows.index.makeLookUps()); // of so many they are left for later
  await (await openTables(node.database)).id.clear()
  await check()
  const errors = lines.filter(({ level }) => level === 'error')
  expect(errors).toHaveLength(21)
  expect(errors.at(-1)?.about).toEqual({ more: 81 })
  expect(reasons()).toEqual([expect.stringMatching(/^The index had 101 faults,/)])
})

test('an entry that the disk has changed is told as one, also when it is found again', async () => {
  await (await openTables(node.database)).entry.put('1/a.svg', Buffer.from('?'))
  await check()
  node.clock.advance(DAY_MS)
  await check()
  expect(reasons()).toContainEqual(
    expect.stringMatching(/^The disk has changed 1 entry of the index/)
  )
})

test('to verify everything is to check the index as well', async () => {
  await damageRoot()
  await verify(node.flows, { all: true }, { signal, onFile: () => {} })
  expect(isSameNode(node.flows.index.root(), EMPTY_NODE)).toBe(false)
  expect(await auditIndex(node.database)).toEqual([])
})

test('it rests for nineteen times as long as it has worked', async () => {
  const { clock } = node
  let workedMs = 0
  const rests: number[] = []
  const busy = {
    now: () => clock.now(),
    monotonicMs: () => {
      workedMs += 25
      return workedMs
    },
    after(ms: number, task: () => void) {
      rests.push(ms)
      queueMicrotask(task)
      return () => {}
    }
  }
  await checkIndexDaily({ ...node.flows, clock: busy }, signal)
  expect(rests.length).toBeGreaterThan(5)
  expect(new Set(rests)).toEqual(new Set([25 * 19]))
})

test.each([
  ['a live image', () => {}, { state: 'held', live: 1 }],
  [
    'an image in review',
    async () => {
      const image = node.flows.index.image(path) as ImageEntry
      await node.flows.index.change((tx) => tx.putToReview(image, 'peer-b'))
      await node.flows.settler.settleAll()
    },
    { live: 0, past: 1 }
  ],
  [
    'a deleted image',
    () => remove(node.flows, { trashKeepMs: 7 * DAY_MS }, path),
    { live: 0, past: 1 }
  ]
])('the bytes of %s whose row was lost are kept, and found again', async (_, act, row) => {
  const { index, settler } = node.flows
  const hash = index.image(path)?.hash as ContentHash
  await act()
  await settler.idle()
  const place = node.store.placeOf(hash)
  expect(place).toBeDefined()
  await (await openTables(node.database)).blob.del(hash)
  node.clock.advance(DAY_MS)
  expect(await sweepUnnamed(node.flows, node.clock.now(), signal)).toBe(0)
  expect(node.store.placeOf(hash)).toBe(place)
  await check()
  expect(index.blob(hash)).toMatchObject(row)
  expect(await auditIndex(node.database)).toEqual([])
})
