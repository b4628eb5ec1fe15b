// Which peers are not in a network of this machine: their traffic may cost more.

import type { Clock } from '../base/clock.ts'
import type { Network } from './network.ts'
import { type Interfaces, isOnLink } from './on-link.ts'

/** Networks of a machine change while it runs, and asking for them is dear. */
const KNOWN_MS = 30_000

export interface RemotePeersParts {
  readonly network: Pick<Network, 'peers'>
  readonly clock: Clock
  readonly interfaces: () => Interfaces
}

/** Whether a peer that is connected is outside; one that is not connected is not. */
export function remotePeers({
  network,
  clock,
  interfaces
}: RemotePeersParts): (peerId: string) => boolean {
  let known = new Map<string, boolean>()
  let knownMs = Number.NEGATIVE_INFINITY
  return (peerId) => {
    if (clock.monotonicMs() - knownMs > KNOWN_MS) {
      known = new Map()
      knownMs = clock.monotonicMs()
    }
    const before = known.get(peerId)
    if (before !== undefined) return before
    const ip = ipIn(network.peers().find(({ id }) => id === peerId)?.address)
    const isRemote = ip !== undefined && !isOnLink(ip, interfaces())
    if (ip !== undefined) known.set(peerId, isRemote)
    return isRemote
  }
}

/** The IP address that a multiaddr begins with. */
function ipIn(address = ''): string | undefined {
  return /^\/ip[46]\/([^/%]+)/.exec(address)?.[1]
}
