// What the records of a mesh hold, byte for byte: nodes of all versions read each other's.

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ContentHash } from '../../../protocols/hash.ts'
import { readBlock } from '../../../src/flows/block-record.ts'
import { isRevoked, noteRevoked } from '../../../src/flows/key-revocations.ts'
import { createKey, findKey, listKeys } from '../../../src/flows/keys.ts'
import { announce, listMembers, listRemoved, removeMember } from '../../../src/flows/members.ts'
import { confirmationText, readConfirmation } from '../../../src/flows/plan-confirmations.ts'
import { clusterText, readClusterText } from '../../../src/mesh/cluster.ts'
import { ClusterIds } from '../../../src/mesh/cluster-ids.ts'
import { createSeal } from '../../../src/seal.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

async function records(): Promise<Record<string, string>> {
  const all = await Array.fromAsync(node.flows.index.records(''))
  return Object.fromEntries(all.map(({ name, value }) => [name, Buffer.from(value).toString()]))
}

/** Writes a record as another program has it. */
const write = (name: string, text: string) =>
  node.flows.index.change((tx) => tx.putRecord(name, Buffer.from(text)))

const ADDRESS = '/ip4/10.0.0.1/tcp/4001/p2p/12D3a'
const SECRET = new Uint8Array(32).fill(7)
const seal = createSeal(() => ({ secret: SECRET }))

test('member/', async () => {
  const member = { id: '12D3a', name: 'a', database: 'd1', addresses: [ADDRESS] }
  await announce(node.flows.index, member)
  expect(await records()).toMatchInlineSnapshot(`
    {
      "member/12D3a": "{"name":"a","database":"d1","addresses":["/ip4/10.0.0.1/tcp/4001/p2p/12D3a"]}",
    }
  `)
  expect(await listMembers(node.flows.index)).toEqual([member])
  await write('member/12D3a', `{"name":"a","addresses":["${ADDRESS}"],"later":1}`)
  expect(await listMembers(node.flows.index)).toEqual([{ ...member, database: undefined }])
})

test('member/ of one that was brought back, and of one that is away', async () => {
  const { index } = node.flows
  const member = { id: '12D3a', name: 'a', database: 'd1', addresses: [ADDRESS] }
  await announce(index, member)
  await removeMember(index, '12D3a')
  const [removedMs] = (await listRemoved(index)).values()
  await announce(index, { ...member, awayUntilMs: 1_700_000_600_000 })
  expect(await records()).toMatchInlineSnapshot(`
    {
      "member/12D3a": "{"name":"a","database":"d1","addresses":["/ip4/10.0.0.1/tcp/4001/p2p/12D3a"],"away_until_ms":1700000600000,"returned":true,"removed_ms":1700000000000}",
    }
  `)
  expect(await listMembers(index)).toEqual([
    { ...member, returned: true, removedMs, awayUntilMs: 1_700_000_600_000 }
  ])
})

test('block/', async () => {
  const hash = 'ab'.repeat(32) as ContentHash
  await node.flows.blocks.add(hash, { reason: 'a face', node: 'a' })
  expect(await records()).toMatchInlineSnapshot(`
    {
      "block/abababababababababababababababababababababababababababababababab": "{"reason":"a face","node":"a","createdMs":1700000000000}",
    }
  `)
  const text = (await records())[`block/${hash}`] as string
  const later = Buffer.from(text.replace('}', ',"later":1}'))
  expect(readBlock(hash, later)).toEqual(readBlock(hash, Buffer.from(text)))
  expect(readBlock(hash, later)).toMatchObject({ reason: 'a face', node: 'a' })
})

test('key-revoked/', async () => {
  const { index } = node.flows
  await index.change((tx) => noteRevoked(tx, '0123456789ab'))
  expect(await records()).toMatchInlineSnapshot(`
    {
      "key-revoked/0123456789ab": "{"revokedMs":1700000000000}",
    }
  `)
  await write('key-revoked/ba9876543210', '{"later":1}')
  expect(
    ['0123456789ab', 'ba9876543210', '000000000000'].map((id) => isRevoked(index, id))
  ).toEqual([...[true, true, false]])
})

test('what a person has confirmed', () => {
  const group = { writer: '12D3a', count: 3, fromMs: 1_699_999_000_000, toMs: 1_700_000_000_000 }
  const text = confirmationText({ token: 't1', groups: [group] })
  expect(Buffer.from(text).toString()).toMatchInlineSnapshot(
    `"{"token":"t1","groups":[{"writer":"12D3a","count":3,"fromMs":1699999000000,"toMs":1700000000000}]}"`
  )
  const later = Buffer.from(Buffer.from(text).toString().replace('{', '{"later":1,'))
  expect(readConfirmation(later, 1_700_000_000_000)).toEqual({ token: 't1', groups: [group] })
})

test('cluster/', async () => {
  const ids = new ClusterIds({ index: node.flows.index, random: new SeededChance(1) })
  await ids.ensure()
  expect(await records()).toMatchInlineSnapshot(`
    {
      "cluster/a00087fbf7479cb86dfe747d23673f27": "{}",
    }
  `)
  await write('cluster/0f', '{"later":1}')
  await ids.refresh()
  expect(ids.list()).toContain('0f')
})

test('key/', async () => {
  const { index } = node.flows
  const { key, facts } = await createKey({ index, random: new SeededChance(1), seal }, 'crawler', [
    'read',
    'write'
  ])
  expect(key).toMatchInlineSnapshot(
    `"tumesh_a00087fbf747_nLht_nR9I2c_J30RZcRJMAptl8xLNKiLwjG4dMX-PcE"`
  )
  expect(await records()).toMatchInlineSnapshot(`
    {
      "key/a00087fbf747": "{"name":"crawler","scopes":["read","write"],"createdMs":1700000000000,"digest":"118639c48957dc6d66cb12e0ade85c8fd31fd08601e4f18d48523a2bc74cbc15","seal":"1a867120889c9786ba650565798b2e345916beb8778db2b8899a6167bae91c2d"}",
    }
  `)
  const text = (await records())[`key/${facts.id}`] as string
  await write(`key/${facts.id}`, text.replace('}', ',"later":1}'))
  expect(await listKeys(index)).toEqual([facts])
  expect(findKey(index, key, seal)).toEqual(facts)
})

test('the secret of a mesh in cluster.json', () => {
  const facts = { name: 'photos', secret: SECRET, decidedMs: 1_700_000_000_000, isFixed: false }
  const text = clusterText(facts)
  expect(text).toMatchInlineSnapshot(`
    "{"cluster":"photos","secret":"0707070707070707070707070707070707070707070707070707070707070707","decided_ms":1700000000000}
    "
  `)
  const read = readClusterText(text.replace('}', ',"later":1}'), 'cluster.json')
  expect({ ...read, secret: Uint8Array.from(read.secret ?? []) }).toEqual(facts)
})
