import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import { Discovery } from '../../../src/network/discovery.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const near = multiaddr('/ip4/192.168.7.9/tcp/4001')
const own = multiaddr('/ip4/192.168.7.20/tcp/4001')
const far = multiaddr('/ip4/203.0.113.9/tcp/22')

function discovering(ownId: string) {
  const clock = new ManualClock()
  const connected = new Set<string>()
  const dialled: (readonly string[])[] = []
  const twins: string[] = []
  const found: string[] = []
  const discovery = new Discovery({
    clock,
    ownId,
    interfaces: () => ({ eth0: [{ cidr: '192.168.7.20/24' }] }),
    connected: (id) => connected.has(id),
    isOwn: (address) => address.equals(own),
    twin: (address) => twins.push(address.toString()),
    found: (id) => found.push(id),
    dial: (addresses) => dialled.push(addresses)
  })
  return { clock, connected, dialled, discovery, found, twins }
}

describe('a node that was found', () => {
  test('is dialled at once by the lower peer id, as often as it answers', () => {
    const { discovery, dialled, connected, found } = discovering('a')
    discovery.found('b', [near])
    discovery.found('b', [near])
    expect(dialled).toEqual([[`${near}/p2p/b`], [`${near}/p2p/b`]])
    connected.add('b')
    discovery.found('b', [near])
    discovery.found('b', [far])
    expect([dialled.length, found]).toEqual([2, ['b']])
  })

  test('is dialled by the higher one if it has not dialled within a second', () => {
    const { discovery, dialled, clock } = discovering('c')
    discovery.found('b', [near])
    discovery.found('b', [near])
    clock.advance(999)
    expect(dialled).toEqual([])
    clock.advance(1)
    expect(dialled).toHaveLength(1)
    discovery.found('b', [near])
    clock.advance(1000)
    expect(dialled).toHaveLength(2)
  })

  test('is not dialled by the higher one if it came meanwhile', () => {
    const { discovery, dialled, clock, connected } = discovering('c')
    discovery.found('b', [near])
    connected.add('b')
    clock.advance(2000)
    expect(dialled).toEqual([])
  })

  test('is not dialled at addresses of other networks, nor if it is the node itself', () => {
    const { discovery, dialled } = discovering('a')
    discovery.found('b', [far])
    discovery.found('a', [near])
    discovery.found('b', [far, near])
    expect(dialled).toEqual([[`${near}/p2p/b`]])
  })

  test('is a copy of this node if it has its peer id and listens elsewhere', () => {
    const { discovery, twins } = discovering('a')
    discovery.found('a', [own])
    discovery.found('a', [far, own])
    expect(twins).toEqual([])
    discovery.found('a', [near])
    expect(twins).toEqual([near.toString()])
  })

  test('is forgotten at stop', () => {
    const { discovery, dialled, clock } = discovering('c')
    discovery.found('b', [near])
    discovery.stop()
    clock.advance(2000)
    expect([dialled.length, clock.pending]).toEqual([0, 0])
  })

  test('is one of a bounded number', () => {
    const { discovery, clock } = discovering('z')
    for (let id = 0; id < 1000; id++) discovery.found(`y${id}`, [near])
    expect(clock.pending).toBe(64)
  })
})
