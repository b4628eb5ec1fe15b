import { afterEach, beforeEach, expect, test } from 'vitest'
import { CLUSTER_IDS_MAX } from '../../../protocols/hello/limits.ts'
import { systemRandom } from '../../../src/base/clock.ts'
import { ClusterIds } from '../../../src/mesh/cluster-ids.ts'
import { openMemoryIndex, type TestIndex } from '../../support/open-index.ts'

let test_: TestIndex
let ids: ClusterIds
const open = () => new ClusterIds({ index: test_.index, random: systemRandom })
beforeEach(async () => {
  test_ = await openMemoryIndex()
  ids = open()
  await ids.refresh()
})
afterEach(() => test_.close())

/** Records of some member. */
const write = (...names: string[]) =>
  test_.index.change((tx) => {
    for (const name of names) tx.putRecord(`cluster/${name}`, Buffer.from('{}'))
  })
const many = (first: string) =>
  Array.from({ length: CLUSTER_IDS_MAX }, (_, n) => first + String(n).padStart(31, '0'))

async function recordCount(): Promise<number> {
  let count = 0
  for await (const _ of test_.index.records('cluster/')) count++
  return count
}

test('a mesh begins with one id, which is still the same after a restart', async () => {
  await ids.ensure()
  await ids.ensure()
  const [id] = ids.list()
  expect(ids.list()).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)])
  ids = open()
  await ids.refresh()
  expect(ids.list()).toEqual([id])
})

test('ids of other members are told as well, as many as a hello has room for', async () => {
  await write(...many('a'), ...many('b'))
  await ids.refresh()
  expect(ids.list()).toEqual(many('a'))
})

test('no later record displaces an id by which members that were away know the mesh', async () => {
  await ids.ensure()
  const [id] = ids.list()
  await write(...many('0'))
  await ids.refresh()
  expect(ids.list()).toHaveLength(CLUSTER_IDS_MAX)
  expect(ids.list()[0]).toBe(id)
  ids = open()
  await ids.refresh()
  expect(ids.list()[0]).toBe(id)
})

test('names that no hello can tell are no ids', async () => {
  await write('x'.repeat(65), 'a b', 'new\nline', '', 'real')
  await ids.refresh()
  expect(ids.list()).toEqual(['real'])
})

test('a peer is of this mesh even when there is no room, and can not fill the index', async () => {
  await ids.ensure()
  const [id] = ids.list()
  await ids.adopt(['theirs'])
  expect(await recordCount()).toBe(2)
  for (let n = 0; n < 100; n++) await ids.adopt(many(String.fromCharCode(97 + (n % 26))))
  expect(await recordCount()).toBe(CLUSTER_IDS_MAX)
  await ids.adopt(['last'])
  expect(ids.list()).toContain('last')
  expect(ids.list().slice(0, 2)).toEqual([id, 'theirs'])
  expect(ids.list()).toHaveLength(CLUSTER_IDS_MAX)
})
