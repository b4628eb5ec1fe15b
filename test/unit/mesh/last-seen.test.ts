import { afterEach, beforeEach, expect, test } from 'vitest'
import { LastSeen } from '../../../src/mesh/last-seen.ts'
import type { ConnectedPeer } from '../../../src/network/network.ts'
import { type MemoryNode, openMemoryNode } from '../../support/memory-node.ts'

let node: MemoryNode
let meet: (id: string) => void

beforeEach(async () => {
  node = await openMemoryNode()
})
afterEach(() => node.close())

function open(): LastSeen {
  const network = {
    peers: () => [],
    onPeer: (listener: (peer: ConnectedPeer, event: 'up' | 'down') => void) => {
      meet = (id) => listener({ id } as ConnectedPeer, 'up')
      return () => {}
    }
  }
  return new LastSeen({ network, flows: node.flows })
}

test('who was here last comes first, also after a restart', async () => {
  const seen = open()
  for (const id of ['a', 'c', 'b']) {
    meet(id)
    await node.clock.advance(1_000)
  }
  await seen.save()
  const members = ['never', 'a', 'b', 'c'].map((id) => ({ id, addresses: [] }))
  for (const one of [seen, open()]) {
    expect(one.newestFirst(members).map(({ id }) => id)).toEqual(['b', 'c', 'a', 'never'])
  }
})
