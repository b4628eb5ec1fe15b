import type { MultiaddrConnection, PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import { createGater } from '../../../src/network/gater.ts'

const peer = (id: string) => ({ toString: () => id }) as unknown as PeerId
const from = (ip: string) =>
  ({ remoteAddr: multiaddr(`/ip4/${ip}/tcp/5`) }) as unknown as MultiaddrConnection
const interfaces = () => ({ eth0: [{ cidr: '192.168.7.20/24' }] })

function gater(onLinkOnly: boolean, denied: readonly string[] = []) {
  return createGater({ denied: new Set(denied), onLinkOnly: () => onLinkOnly, interfaces })
}

describe('a node without a secret', () => {
  test('dials and lets in its local network only', async () => {
    const { denyDialMultiaddr, denyInboundConnection } = gater(true)
    const near = [multiaddr('/ip4/192.168.7.1/tcp/1'), multiaddr('/ip4/8.8.8.8/tcp/1')]
    expect(near.map((address) => denyDialMultiaddr?.(address))).toEqual([false, true])
    expect(denyDialMultiaddr?.(multiaddr('/dns4/example.org/tcp/1'))).toBe(true)
    const comers = [from('192.168.7.1'), from('192.168.8.1'), from('8.8.8.8')]
    expect(comers.map((comer) => denyInboundConnection?.(comer))).toEqual([false, true, true])
  })
})

describe('a node with a secret', () => {
  test('meets addresses of any kind', () => {
    const { denyDialMultiaddr, denyInboundConnection } = gater(false)
    expect(denyDialMultiaddr?.(multiaddr('/dns4/example.org/tcp/1'))).toBe(false)
    expect(denyInboundConnection?.(from('8.8.8.8'))).toBe(false)
  })

  test('keeps removed peers out at every door', () => {
    const all = gater(false, ['bad'])
    const doors = [
      all.denyDialPeer,
      all.denyOutboundConnection,
      all.denyOutboundEncryptedConnection,
      all.denyInboundEncryptedConnection
    ]
    for (const door of doors) {
      expect(door?.(peer('bad'), from('192.168.7.1'))).toBe(true)
      expect(door?.(peer('good'), from('192.168.7.1'))).toBe(false)
    }
  })
})
