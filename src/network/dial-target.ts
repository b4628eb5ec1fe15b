// Reads the addresses of one peer: which node they name, and the numeric addresses to try, the
// promising ones first.

import { lookup } from 'node:dns/promises'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { type Interfaces, isLoopback, isOnLink, isPrivate } from './on-link.ts'

/** A node has a few interfaces with two addresses each; what comes after is not tried. */
const ADDRESSES_MAX = 25

export interface DialTarget {
  /** Undefined if no address names the node. */
  readonly peerId: string | undefined
  /** Each ends with the peer id, if one is known. Names are not resolved yet. */
  readonly addresses: readonly Multiaddr[]
}

/** Addresses that can't be read are left out. Throws PEER_UNREACHABLE if none is left to dial. */
export function readTarget(texts: readonly string[]): DialTarget {
  const read = texts.slice(0, ADDRESSES_MAX).map(readAddress)
  const addresses = read.filter((address) => address !== undefined)
  if (addresses.length === 0) {
    throw new NodeError(
      'PEER_UNREACHABLE',
      `${texts[0]?.slice(0, 200) ?? 'Nothing'} is not the address of a node; one looks like /ip4/192.168.1.5/tcp/4001/p2p/12D3KooW…`,
      {
        addresses: texts.slice(0, ADDRESSES_MAX),
        ...saidAs('address_strange', { text: texts[0]?.slice(0, 200) ?? '' })
      }
    )
  }
  const [peerId, other] = new Set(addresses.map(peerIdOf).filter((id) => id !== undefined))
  if (other !== undefined) {
    throw new NodeError(
      'PEER_UNREACHABLE',
      `The addresses name different nodes (${peerId} and ${other}). Give those of one node at a time.`,
      { addresses: texts.slice(0, ADDRESSES_MAX), ...saidAs('addresses_differ') }
    )
  }
  const named = addresses.map((address) =>
    peerId === undefined || peerIdOf(address) !== undefined
      ? address
      : address.encapsulate(`/p2p/${peerId}`)
  )
  return { peerId, addresses: named }
}

/** The IP address in a multiaddr; undefined where a name stands. */
export function ipOf(address: Multiaddr): string | undefined {
  return componentOf(address, 'ip4') ?? componentOf(address, 'ip6')
}

/** `192.168.1.5:4001`, as people know it. */
export function hostAndPortOf(address: Multiaddr): string {
  const host = ipOf(address) ?? nameOf(address)?.name ?? address.toString()
  return `${host.includes(':') ? `[${host}]` : host}:${componentOf(address, 'tcp') ?? '?'}`
}

/**
 * Puts numbers in the place of names. A name that can't be resolved stays as it is: dialling it
 * tells why.
 */
export async function resolveNames(addresses: readonly Multiaddr[]): Promise<Multiaddr[]> {
  const resolved = await Promise.all(addresses.map(resolveName))
  return resolved.flat().slice(0, ADDRESSES_MAX)
}

/**
 * Puts what answers soonest first: the own networks, then public addresses, then private ones that
 * may belong to another network, and loopback last, where another node of this machine may listen.
 */
export function compareByPromise(a: Multiaddr, b: Multiaddr, interfaces: Interfaces): -1 | 0 | 1 {
  const rank = (address: Multiaddr) => {
    const ip = ipOf(address)
    if (ip === undefined || !isPrivate(ip)) return 1
    if (isLoopback(ip)) return 3
    return isOnLink(ip, interfaces) ? 0 : 2
  }
  return Math.sign(rank(a) - rank(b)) as -1 | 0 | 1
}

function readAddress(text: string): Multiaddr | undefined {
  try {
    const address = multiaddr(text)
    return componentOf(address, 'tcp') === undefined ? undefined : address
  } catch {
    return undefined
  }
}

async function resolveName(address: Multiaddr): Promise<readonly Multiaddr[]> {
  const named = nameOf(address)
  if (named === undefined) return [address]
  const { protocol, name } = named
  const family = protocol === 'dns4' ? 4 : protocol === 'dns6' ? 6 : 0
  try {
    const found = await lookup(name, { all: true, family })
    return found.map((one) =>
      multiaddr(
        address.toString().replace(`/${protocol}/${name}`, `/ip${one.family}/${one.address}`)
      )
    )
  } catch {
    return [address]
  }
}

function nameOf(address: Multiaddr): { protocol: string; name: string } | undefined {
  for (const protocol of ['dns', 'dns4', 'dns6']) {
    const name = componentOf(address, protocol)
    if (name !== undefined) return { protocol, name }
  }
  return undefined
}

function peerIdOf(address: Multiaddr): string | undefined {
  return componentOf(address, 'p2p')
}

function componentOf(address: Multiaddr, name: string): string | undefined {
  return address.getComponents().find((component) => component.name === name)?.value
}
