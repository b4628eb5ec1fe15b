import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import {
  compareByPromise,
  hostAndPortOf,
  ipOf,
  readTarget,
  resolveNames
} from '../../../src/network/dial-target.ts'

const ID = '12D3KooWLQdSUBEPuqBWLgUN1iG2wyidXzGemwAJwTFFzgdvsM8e'
const OTHER = '12D3KooWMe1JZDPEdSGEoVTPBPof2qAVMmkVyJ8RmxaMK3q3DKhx'

describe('the addresses of a node', () => {
  test('all get the peer id that one of them names', () => {
    const { peerId, addresses } = readTarget(['/ip4/1.2.3.4/tcp/1', `/ip4/1.2.3.5/tcp/1/p2p/${ID}`])
    expect(peerId).toBe(ID)
    expect(addresses.map(String)).toEqual([
      `/ip4/1.2.3.4/tcp/1/p2p/${ID}`,
      `/ip4/1.2.3.5/tcp/1/p2p/${ID}`
    ])
  })

  test('may name nobody', () => {
    expect(readTarget(['/dns4/example.org/tcp/1']).peerId).toBeUndefined()
  })

  test('are left out where they can not be read or dialled', () => {
    const texts = ['nonsense', '/ip4/1.2.3.4', '/ip4/1.2.3.4/udp/1', '/ip4/1.2.3.4/tcp/1']
    expect(readTarget(texts).addresses).toHaveLength(1)
  })

  test('are not more than a node can have', () => {
    const many = Array.from({ length: 100 }, (_, at) => `/ip4/1.2.3.4/tcp/${at + 1}`)
    expect(readTarget(many).addresses).toHaveLength(25)
  })

  test.each([
    [[], /^Nothing is not/],
    [['nonsense'], /^nonsense is not/],
    [[`x${'y'.repeat(1000)}`], /^xy{199} is not/],
    [[`/ip4/1.2.3.4/tcp/1/p2p/${ID}`, `/ip4/1.2.3.4/tcp/1/p2p/${OTHER}`], /different nodes/]
  ])('are refused: %#', (texts, message) => {
    expect(() => readTarget(texts)).toThrow(
      expect.objectContaining({
        code: 'PEER_UNREACHABLE',
        message: expect.stringMatching(message)
      })
    )
  })
})

test('host and port read as people write them', () => {
  const texts = ['/ip4/1.2.3.4/tcp/5', '/ip6/fd00::1/tcp/5', '/dns4/example.org/tcp/5']
  expect(texts.map((text) => hostAndPortOf(multiaddr(text)))).toEqual([
    '1.2.3.4:5',
    '[fd00::1]:5',
    'example.org:5'
  ])
  expect(texts.map((text) => ipOf(multiaddr(text)))).toEqual(['1.2.3.4', 'fd00::1', undefined])
})

test('names become numbers, and numbers stay', async () => {
  const texts = [`/dns4/localhost/tcp/5/p2p/${ID}`, '/ip4/1.2.3.4/tcp/5']
  const resolved = await resolveNames(texts.map((text) => multiaddr(text)))
  expect(resolved.map(String)).toEqual([`/ip4/127.0.0.1/tcp/5/p2p/${ID}`, '/ip4/1.2.3.4/tcp/5'])
})

test('the own networks are dialled first, loopback last', () => {
  const interfaces = { lo: [{ cidr: '127.0.0.1/8' }], eth0: [{ cidr: '192.168.7.20/24' }] }
  const texts = ['127.0.0.1', '10.0.0.1', '8.8.8.8', '192.168.7.1', '192.168.7.2']
  const addresses = texts.map((text) => multiaddr(`/ip4/${text}/tcp/1`))
  const sorted = addresses.sort((a, b) => compareByPromise(a, b, interfaces)).map(ipOf)
  expect(sorted).toEqual(['192.168.7.1', '192.168.7.2', '8.8.8.8', '10.0.0.1', '127.0.0.1'])
})
