import { expect, test } from 'vitest'
import { tellAudit } from '../../../src/flows/audit.ts'
import { announce, removeMember } from '../../../src/flows/members.ts'
import { MemberList } from '../../../src/mesh/member-list.ts'
import { openMemoryNode } from '../../support/memory-node.ts'
import { settled } from '../../support/microtasks.ts'

test('of two readings at once the later one counts, however long the earlier one takes', async () => {
  const { flows, close } = await openMemoryNode()
  const { index } = flows
  const value = Buffer.from(JSON.stringify({ name: 'b', addresses: [] }))
  await index.change((tx) => tx.putRecord('member/B', value))
  const denied = new Set<string>()
  const network = {
    id: 'own',
    deny: async (id: string) => void denied.add(id),
    allow: (id: string) => void denied.delete(id)
  }
  const members = new MemberList({ network: network as never, flows })
  const removed = index.deletedRecords.bind(index)
  const gate = Promise.withResolvers<void>()
  let slow = true
  index.deletedRecords = async function* (prefix) {
    const names = await Array.fromAsync(removed(prefix))
    if (slow) {
      slow = false
      await gate.promise
    }
    yield* names
  }
  const earlier = members.refresh()
  while (slow) await new Promise((resolve) => setImmediate(resolve))
  await removeMember(index, 'B')
  const later = members.refresh()
  await settled()
  gate.resolve()
  await Promise.all([earlier, later])
  expect([[...denied], members.others()]).toEqual([['B'], []])
  await close()
})

test('who was removed and has not heard of it does not come back by saying where it is now', async () => {
  const { flows, close } = await openMemoryNode()
  const { index } = flows
  const denied = new Set<string>()
  const network = {
    id: 'own',
    deny: async (id: string) => void denied.add(id),
    allow: (id: string) => void denied.delete(id)
  }
  const members = new MemberList({ network: network as never, flows })
  const say = (about: object) =>
    index.change((tx) =>
      tx.putRecord('member/B', Buffer.from(JSON.stringify({ name: 'b', addresses: [], ...about })))
    )
  const read = async () => {
    await members.refresh()
    return [[...denied], members.others().map(({ id }) => id)]
  }
  await say({})
  expect(await read()).toEqual([[], ['B']])
  await removeMember(index, 'B')
  expect(await read()).toEqual([['B'], []])
  await say({ database: 'moved' })
  expect(await read()).toEqual([['B'], []])
  await members.takeBack(['/ip4/10.0.0.2/tcp/1/p2p/B'], async () => ({ id: 'B' }))
  expect(await read()).toEqual([[], ['B']])
  await close()
})

test('who is met again belongs to the mesh at once, whatever it says of itself meanwhile', async () => {
  const { flows, close } = await openMemoryNode()
  const { index } = flows
  const network = { id: 'own', deny: async () => {}, allow: () => {} }
  const members = new MemberList({ network: network as never, flows })
  const value = Buffer.from(JSON.stringify({ name: 'b', addresses: [] }))
  await announce(index, { id: 'B', name: 'b', addresses: [] })
  await members.refresh()
  await removeMember(index, 'B')
  await members.refresh()
  let isExpected = false
  const meet = async () => {
    isExpected = members.has('B')
    // it has come before it is written down here, and has not heard that it was removed
    await index.change((tx) => tx.putRecord('member/B', value))
    return { id: 'B' }
  }
  const addresses = ['/ip4/10.0.0.2/tcp/1/p2p/B']
  await expect(members.takeBack(addresses, () => Promise.reject(new Error('no')))).rejects.toThrow()
  expect(members.has('B')).toBe(false)
  await members.takeBack(addresses, meet)
  expect([isExpected, members.has('B')]).toEqual([true, true])
  await close()
})

test('who is not met stays removed, and what is removed again is written down', async () => {
  const { flows, close } = await openMemoryNode()
  const { index } = flows
  const denied = new Set<string>()
  const network = {
    id: 'own',
    deny: async (id: string) => void denied.add(id),
    allow: (id: string) => void denied.delete(id)
  }
  const members = new MemberList({ network: network as never, flows })
  const lines: string[] = []
  const audit = { isOn: true, onStop: () => {}, add: (line: object) => lines.push(line as never) }
  tellAudit({ ...flows, audit: audit as never })
  await announce(index, { id: 'B', name: 'b', addresses: [] })
  await members.refresh()
  await removeMember(index, 'B')
  await members.refresh()
  const before = await Array.fromAsync(index.deletedRecords('member/'))
  let allowed = false
  const meeting = members.takeBack(['/ip4/10.0.0.2/tcp/1/p2p/B'], async () => {
    allowed = !denied.has('B')
    throw new Error('nothing listens there')
  })
  await expect(meeting).rejects.toThrow('nothing listens there')
  expect([allowed, denied.has('B')]).toEqual([true, true])
  // nobody else hears that it was tried
  expect(await Array.fromAsync(index.deletedRecords('member/'))).toEqual(before)
  expect(lines).toEqual([])
  const value = Buffer.from(JSON.stringify({ name: 'b', addresses: [] }))
  await index.change((tx) => tx.putRecord('member/B', value))
  await members.refresh()
  const about = { id: 'B', why: 'it was removed and had not heard of it' }
  expect(lines).toEqual([{ action: 'remove server', by: 'this node', about }])
  await close()
})

test('who was brought back once and is removed again does not come back by that', async () => {
  const { flows, clock, close } = await openMemoryNode()
  const { index } = flows
  const denied = new Set<string>()
  const network = {
    id: 'own',
    deny: async (id: string) => void denied.add(id),
    allow: (id: string) => void denied.delete(id)
  }
  const members = new MemberList({ network: network as never, flows })
  const read = async () => {
    await members.refresh()
    return [[...denied], members.others().map(({ id }) => id)]
  }
  const remove = async () => {
    await clock.advance(1000)
    await removeMember(index, 'B')
    return read()
  }
  await index.change((tx) => tx.putRecord('member/B', Buffer.from('{"name":"b","addresses":[]}')))
  await read()
  expect(await remove()).toEqual([['B'], []])
  await members.takeBack(['/ip4/10.0.0.2/tcp/1/p2p/B'], async () => ({ id: 'B' }))
  await announce(index, { id: 'B', name: 'b', addresses: [] }) // it says so itself from then on
  const own = index.record('member/B') ?? Buffer.alloc(0)
  expect(await read()).toEqual([[], ['B']])
  expect(await remove()).toEqual([['B'], []])
  const moved = { ...JSON.parse(Buffer.from(own).toString()), database: 'moved' }
  await index.change((tx) => tx.putRecord('member/B', Buffer.from(JSON.stringify(moved))))
  expect(await read()).toEqual([['B'], []])
  await members.takeBack(['/ip4/10.0.0.2/tcp/1/p2p/B'], async () => ({ id: 'B' }))
  expect(await read()).toEqual([[], ['B']])
  await close()
})

test('a server of an earlier version that was brought back stays', async () => {
  const { flows, close } = await openMemoryNode()
  const { index } = flows
  const network = { id: 'own', deny: async () => {}, allow: () => {} }
  const members = new MemberList({ network: network as never, flows })
  const say = (about: object) =>
    index.change((tx) =>
      tx.putRecord('member/B', Buffer.from(JSON.stringify({ name: 'b', addresses: [], ...about })))
    )
  await say({})
  await removeMember(index, 'B')
  await members.refresh()
  await say({ returned: true })
  await members.refresh()
  expect(members.others().map(({ id }) => id)).toEqual(['B'])
  await close()
})
