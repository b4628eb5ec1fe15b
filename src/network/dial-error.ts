// Says in words why a node could not be reached.

import type { StreamCloseEvent } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { saidAs } from '../base/cause.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import { callOf } from '../base/how-called.ts'
import { hostAndPortOf, ipOf } from './dial-target.ts'
import { isPrivate } from './on-link.ts'

type Cause =
  | 'other-cluster'
  | 'other-node'
  | 'not-admitted'
  | 'hung-up'
  | 'no-node'
  | 'refused'
  | 'timed-out'
  | 'no-route'
  | 'unknown'

/** The most telling first: one address of a node can be wrong where another shows what is wrong. */
const CAUSES: readonly { readonly cause: Cause; readonly pattern: RegExp }[] = [
  { cause: 'other-cluster', pattern: /chacha20poly1305|handshake stage/ },
  { cause: 'other-node', pattern: /identity key .* does not match/ },
  { cause: 'not-admitted', pattern: /DialDenied|ConnectionIntercepted|gater/ },
  {
    cause: 'hung-up',
    pattern: /ECONNRESET|EPIPE|^UnexpectedEOF|ConnectionClosed|the stream broke/
  },
  {
    cause: 'no-node',
    pattern: /Unexpected EOF|EncryptionFailed(?!.*timeout)|InvalidMessage|UnsupportedProtocol/
  },
  { cause: 'refused', pattern: /ECONNREFUSED/ },
  { cause: 'timed-out', pattern: /ETIMEDOUT|TimeoutError|AbortError|due to timeout/ },
  {
    cause: 'no-route',
    pattern: /EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ENOTFOUND|EAI_AGAIN|EINVAL/
  }
]

/** Cluster and secret given by hand, on every server, are the other way; who has them knows it. */
const INVITE_REMEDY = `Run \`${callOf('invite')}\` on one of the two and \`${callOf('join', '<that line>')}\` on the other.`

/** PEER_UNREACHABLE, or SAME_NODE if `error` says that the node dialled itself. */
export function dialError(error: unknown, addresses: readonly Multiaddr[]): NodeError {
  if (error instanceof NodeError) return error
  const errors = error instanceof AggregateError ? error.errors : [error]
  const texts = errors.map(describe)
  if (texts.some((text) => /dial self/.test(text))) return sameNode()
  const cause =
    CAUSES.find(({ pattern }) => texts.some((text) => pattern.test(text)))?.cause ?? 'unknown'
  const place = placesOf(addresses)
  const said = saidAs(`dial_${cause.replaceAll('-', '_')}`, { place })
  const details = { reason: cause, place, addresses: addresses.map(String), errors: texts, ...said }
  return new NodeError('PEER_UNREACHABLE', sentenceOf(cause, addresses), details, { cause: error })
}

export function sameNode(): NodeError {
  return new NodeError(
    'SAME_NODE',
    'This is the address of the node itself, or of a copy of its folder. Give the address of another node.',
    saidAs('same_node')
  )
}

/** For a node without a secret, of addresses that are not on its local network. */
export function notOnLink(addresses: readonly Multiaddr[]): NodeError {
  return new NodeError(
    'PEER_UNREACHABLE',
    `${placesOf(addresses)} is not on the local network, and without a secret this node meets others only there. ${INVITE_REMEDY}`,
    {
      ...{ reason: 'not-admitted', place: placesOf(addresses) },
      addresses: addresses.map(String),
      ...saidAs('dial_not_on_link', { place: placesOf(addresses) })
    }
  )
}

function sentenceOf(cause: Cause, addresses: readonly Multiaddr[]): string {
  const place = placesOf(addresses)
  switch (cause) {
    case 'other-cluster':
      return `The node at ${place} is of another cluster or has another secret: it may have got a new one while this node was away. ${INVITE_REMEDY}`
    case 'other-node':
      return `At ${place} is another node than the one looked for. Use the address that the node shows now.`
    case 'not-admitted':
      return `This node does not meet the node at ${place}: it was removed from the mesh, or is not on the local network.`
    case 'hung-up':
      return `The node at ${place} hung up at once: it does not admit this node, has too many connections, or is no Tumesh node.`
    case 'no-node':
      return `What listens at ${place} is no Tumesh node. Check the port: it is the one for other nodes, not the one for HTTP.`
    case 'refused':
      return `Nothing listens at ${place} (connection refused). Start the node there, or check its port.`
    case 'timed-out':
    case 'no-route':
      return unreachable(cause, place, addresses)
    case 'unknown':
      return `The node at ${place} could not be reached.`
    default:
      return cause satisfies never
  }
}

function unreachable(
  cause: 'timed-out' | 'no-route',
  place: string,
  addresses: readonly Multiaddr[]
): string {
  const what =
    cause === 'timed-out' ? `${place} did not answer in time.` : `There is no way to ${place}.`
  const allPrivate = addresses.every((address) => isPrivate(ipOf(address) ?? ''))
  return allPrivate
    ? `${what} The address is private and can be reached only from its own local network. Give one that can be reached from here, or let that node join this one (\`${callOf('join')}\` there).`
    : `${what} Check that the machine is on and that no firewall closes the port.`
}

function placesOf(addresses: readonly Multiaddr[]): string {
  const [first] = addresses
  const place = first === undefined ? 'no address' : hostAndPortOf(first)
  return addresses.length > 1 ? `${place} and ${addresses.length - 1} more` : place
}

function describe(error: unknown): string {
  // libp2p throws the very event by which a stream or connection told that it closed
  if (error instanceof Event) return describe((error as StreamCloseEvent).error ?? CLOSED)
  if (!(error instanceof Error)) return String(error)
  return [error.name, systemCodeOf(error), error.message].filter(Boolean).join(': ')
}

const CLOSED = new Error('ConnectionClosed: the other side closed it')

/** Nothing is dialled or opened any more, or yet. */
export function stopping(): NodeError {
  return new NodeError('STOPPING', 'The node is stopping, or has not started.')
}
