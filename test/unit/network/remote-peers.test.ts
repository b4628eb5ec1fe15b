import { expect, test } from 'vitest'
import type { Interfaces } from '../../../src/network/on-link.ts'
import { remotePeers } from '../../../src/network/remote-peers.ts'
import { ManualClock } from '../../support/manual-clock.ts'

test('peers are remote that no network of this machine has', () => {
  const addresses: Record<string, string> = {
    own: '/ip4/127.0.0.1/tcp/4001',
    near: '/ip4/192.168.7.20/tcp/4001',
    near6: '/ip6/fe80::1%eth0/tcp/4001',
    routed: '/ip4/10.9.0.1/tcp/4001',
    far: '/ip4/203.0.113.5/tcp/4001',
    memory: '/memory/b'
  }
  const peers = () =>
    Object.entries(addresses).map(([id, address]) => ({ id, address, dialled: true, sinceMs: 0 }))
  const clock = new ManualClock()
  let interfaces: Interfaces = {
    lo: [{ cidr: '127.0.0.1/8' }],
    eth0: [{ cidr: '192.168.7.3/24' }, { cidr: 'fe80::3/64' }]
  }
  const isRemote = remotePeers({ network: { peers }, clock, interfaces: () => interfaces })
  const remote = () => Object.keys(addresses).filter(isRemote)
  expect(remote()).toEqual(['routed', 'far'])
  expect(isRemote('nobody')).toBe(false)
  interfaces = { ...interfaces, wg0: [{ cidr: '10.9.0.2/24' }] }
  clock.advance(60_000)
  expect(remote()).toEqual(['far'])
})
