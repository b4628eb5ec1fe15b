// Lets libp2p ask before it connects: peers that were removed stay out, and a node without a secret
// meets only its local network.

import type { ConnectionGater, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { ipOf } from './dial-target.ts'
import { type Interfaces, isOnLink } from './on-link.ts'

export interface GaterParts {
  readonly denied: Pick<ReadonlySet<string>, 'has'>
  onLinkOnly(): boolean
  interfaces(): Interfaces
}

export function createGater({ denied, onLinkOnly, interfaces }: GaterParts): ConnectionGater {
  const denyPeer = (peerId: PeerId) => denied.has(peerId.toString())
  const denyAddress = (address: Multiaddr) =>
    onLinkOnly() && !isOnLink(ipOf(address) ?? '', interfaces())
  return {
    denyDialPeer: denyPeer,
    denyDialMultiaddr: denyAddress,
    denyOutboundConnection: denyPeer,
    denyOutboundEncryptedConnection: denyPeer,
    denyInboundConnection: ({ remoteAddr }) => denyAddress(remoteAddr),
    denyInboundEncryptedConnection: denyPeer
  }
}
