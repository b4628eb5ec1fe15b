// Peers that the local network finds at another place than where they are connected. A machine that
// changed its address can't say so on the connection: that is dead, and looks alive for a while.

import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock, Random } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { ipOf } from './dial-target.ts'
import { type PeerLink, PING_BYTES } from './peer-link.ts'

/** For any sign of life; a busy line carries other bytes than the answer to a ping. */
const ANSWER_MS = 3_000

export interface MovedPeersParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  links(peerId: string): readonly Asked[]
}

/** A connection, as it is needed here. */
export type Asked = Pick<PeerLink, 'signsOfLife' | 'pingQuietly'> & {
  readonly connection: Pick<PeerLink['connection'], 'remoteAddr' | 'abort'>
}

export class MovedPeers {
  readonly #parts: MovedPeersParts
  readonly #asked = new Map<string, () => void>()

  constructor(parts: MovedPeersParts) {
    this.#parts = parts
  }

  /**
   * Where a connected peer was found. If its connection leads elsewhere and brings no sign of life,
   * it is given up, and the peer dialled where it is now.
   */
  found(peerId: string, addresses: readonly Multiaddr[], dialNow: () => void): void {
    const { clock, random, log, links } = this.#parts
    const open = links(peerId)
    const places = addresses.map(ipOf)
    const isThere = ({ connection }: Asked) => places.includes(ipOf(connection.remoteAddr))
    if (open.length === 0 || open.some(isThere) || this.#asked.has(peerId)) return
    const before = open.map(({ signsOfLife }) => signsOfLife)
    for (const link of open) link.pingQuietly(random.bytes(PING_BYTES))
    const cancel = clock.after(ANSWER_MS, () => {
      this.#asked.delete(peerId)
      if (open.some(({ signsOfLife }, at) => signsOfLife !== before[at])) return
      log.info({ peer: peerId }, 'a node does not answer any more, and is found elsewhere')
      const reason = new Error('the other side has moved')
      for (const link of open) link.connection.abort(reason)
      dialNow()
    })
    this.#asked.set(peerId, cancel)
  }

  stop(): void {
    for (const cancel of this.#asked.values()) cancel()
    this.#asked.clear()
  }
}
