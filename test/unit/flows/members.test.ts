import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  announce,
  listMembers,
  listRemoved,
  MEMBERS_MAX,
  memberDatabases,
  removeMember
} from '../../../src/flows/members.ts'
import { openTables } from '../../../src/index/tables.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

let node: MemoryNode
beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

const put = (records: Readonly<Record<string, unknown>>) =>
  node.flows.index.change((tx) => {
    for (const [name, value] of Object.entries(records)) {
      tx.putRecord(`member/${name}`, Buffer.from(JSON.stringify(value)))
    }
  })

test('who announces itself is a member until it is removed', async () => {
  const { index } = node.flows
  const member = { id: 'B', name: 'b', addresses: ['/ip4/10.0.0.2/tcp/4001/p2p/B'] }
  await announce(index, member)
  expect([await listMembers(index), await listRemoved(index)]).toEqual([[member], new Map()])
  await removeMember(index, 'B')
  expect(await listMembers(index)).toEqual([])
  expect([...(await listRemoved(index)).keys()]).toEqual(['B'])
})

test('of what others wrote only what can be shown and dialled is taken', async () => {
  const good = '/ip4/10.0.0.2/tcp/4001/p2p/B'
  const others = [
    'http://10.0.0.9/admin',
    '/ip4/10.0.0.9/tcp/22',
    '/ip4/10.0.0.9/tcp/4001/p2p/C',
    '/ip4/10.0.0.9/tcp/1\u001b[2J/p2p/B',
    7
  ]
  await put({
    B: { name: 'b\u001b[31m\n\u202e', addresses: [...others, good] },
    'D\u001b[2J': { name: 'd', addresses: [] },
    E: { name: 5, addresses: [] },
    F: { name: 'f' },
    G: null
  })
  expect(await listMembers(node.flows.index)).toEqual([
    { id: 'B', name: 'b [31m  ', addresses: [good] }
  ])
})

test('however many there are said to be, not all are kept in memory', async () => {
  const many = Array.from({ length: MEMBERS_MAX + 5 }, (_, n) => [
    `M${n}`,
    { name: 'm', addresses: [] }
  ])
  await put(Object.fromEntries(many))
  expect(await listMembers(node.flows.index)).toHaveLength(MEMBERS_MAX)
})

const databases = () => node.flows.index.change((tx) => memberDatabases(tx))

test('members who were removed, however many, hide none who must hear of deletions', async () => {
  const removed = Array.from({ length: MEMBERS_MAX + 1 }, (_, n) => `0${n}`)
  await put(Object.fromEntries(removed.map((id) => [id, {}])))
  await node.flows.index.change((tx) => {
    for (const id of removed) tx.deleteRecord(`member/${id}`)
  })
  await put({ z: { name: 'z', database: 'd', addresses: [] } })
  expect([...(await databases())]).toEqual([['z', 'd']])
})

test('where there are more members than are read, something stands for the rest', async () => {
  const all = Array.from({ length: MEMBERS_MAX + 1 }, (_, n) => `${n}`)
  await put(Object.fromEntries(all.map((id) => [id, { name: 'n', addresses: [] }])))
  const found = await databases()
  expect(found.size).toBe(MEMBERS_MAX + 1)
  expect([...found].at(-1)).toEqual(['(more members than are read)', undefined])
})

test('a member whose record can not be read or understood must hear of deletions too', async () => {
  await put({ a: { name: 'a', database: 'd', addresses: [] }, b: 7 })
  await (await openTables(node.database)).entry.put('2/member/a', Buffer.from('?'))
  expect([...(await databases())]).toEqual([
    ['a', undefined],
    ['b', undefined]
  ])
})
