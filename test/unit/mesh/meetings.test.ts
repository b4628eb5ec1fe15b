import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Hello } from '../../../protocols/hello/hello.ts'
import { requestHello } from '../../../protocols/hello/request.ts'
import { AdmittedNetwork } from '../../../src/mesh/admitted-network.ts'
import { ClusterIds } from '../../../src/mesh/cluster-ids.ts'
import { Meetings } from '../../../src/mesh/meetings.ts'
import type { ConnectedPeer, ProtocolHandler } from '../../../src/network/network.ts'
import { type MemoryNode, openMemoryNode, tinyImage } from '../../support/memory-node.ts'
import { settled } from '../../support/microtasks.ts'
import { streamPair } from '../../support/stream-pair.ts'

const never = new AbortController().signal
const PEER: ConnectedPeer = { id: 'P', address: '/memory/P', dialled: false, sinceMs: 0 }

let node: MemoryNode
let meetings: Meetings
let admitted: AdmittedNetwork
let clusterIds: ClusterIds
let peers: ConnectedPeer[]
let tell: (event: 'up' | 'down') => void
let handler: ProtocolHandler
let opened: string[]
let ownId: string

beforeEach(async () => {
  node = await openMemoryNode()
  const { flows } = node
  peers = []
  opened = []
  const listeners: ((peer: ConnectedPeer, event: 'up' | 'down') => void)[] = []
  tell = (event) => {
    peers = event === 'up' ? [PEER] : []
    for (const listener of listeners) listener(PEER, event)
  }
  ownId = 'N'
  const network = {
    get id() {
      return ownId
    },
    peers: () => peers,
    onPeer: (listener: (typeof listeners)[number]) => listeners.push(listener),
    addresses: () => [],
    open: async (peerId: string) => {
      opened.push(peerId)
      throw new Error('it answers nobody')
    },
    handle: (one: ProtocolHandler) => {
      handler = one
    }
  } as never
  admitted = new AdmittedNetwork({ network, clock: node.clock })
  clusterIds = new ClusterIds(flows)
  meetings = new Meetings({
    ...{ network, admitted, clusterIds, flows },
    haveSecret: () => false,
    isMember: () => true,
    about: () => ({ name: 'own', productVersion: '1', databaseId: 'd', httpPort: 8000 })
  })
  await meetings.prepare()
})
afterEach(async () => {
  await meetings.stop()
  await node.close()
})

/** The peer says hello, and hears one. */
async function hello(about: Pick<Hello, 'hasImages' | 'clusterIds'>): Promise<Hello> {
  const { left, right } = streamPair()
  const mine = { protocols: [], addresses: [], httpPort: 1, ...about }
  const said = { ...mine, name: 'p', productVersion: '1', databaseId: 'p' }
  const serving = handler.serve(right, PEER)
  const answer = await requestHello(left, said, () => 0, never)
  await serving
  await settled()
  return answer
}

test('who has images of another mesh waits, who has none is admitted', async () => {
  await node.put('a.svg', tinyImage(1))
  await settled()
  tell('up')
  await hello({ hasImages: true, clusterIds: ['theirs'] })
  expect([admitted.has('P'), meetings.waits('P')]).toEqual([false, true])
  await hello({ hasImages: false, clusterIds: [] })
  expect([admitted.has('P'), meetings.waits('P')]).toEqual([true, false])
})

test('who got its first image as the two met learns that they are one mesh', async () => {
  await node.put('a.svg', tinyImage(1))
  await settled()
  tell('up')
  await hello({ hasImages: false, clusterIds: [] })
  await hello({ hasImages: true, clusterIds: ['theirs'] })
  const { clusterIds: told } = await hello({ hasImages: true, clusterIds: ['theirs'] })
  expect(told).toContain('theirs')
})

test('two that begin a mesh are of one from then on, whoever of them dialled', async () => {
  const empty = { hasImages: false, clusterIds: [] }
  ownId = 'Q'
  tell('up')
  await hello(empty)
  expect(clusterIds.list()).toEqual([])
  tell('down')
  ownId = 'N'
  tell('up')
  await hello(empty)
  expect(clusterIds.list()).toHaveLength(1)
})

test('nothing is kept of who is gone when its hello is read', async () => {
  tell('up')
  tell('down')
  await hello({ hasImages: false, clusterIds: [] })
  expect([meetings.heard('P'), admitted.has('P')]).toEqual([undefined, false])
})

test('who neither dialled nor hears a hello says one: of two dials that cross, each may see the other', async () => {
  tell('up')
  await node.clock.advance(199)
  expect(opened).toEqual([])
  await node.clock.advance(1)
  expect(opened).toEqual(['P'])
  await node.clock.advance(2_000)
  meetings.greetDue()
  expect(opened).toEqual(['P', 'P'])
})

test('who has heard a hello of the one that dialled says none itself', async () => {
  tell('up')
  await hello({ hasImages: false, clusterIds: [] })
  await node.clock.advance(3_000)
  meetings.greetDue()
  expect(opened).toEqual([])
})

test('who is gone again is not greeted', async () => {
  tell('up')
  tell('down')
  await node.clock.advance(3_000)
  expect(opened).toEqual([])
})
