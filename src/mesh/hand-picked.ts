// Servers that a person named: with --bootstrap, or with join while this node was stopped. They are
// dialled for as long as the node lives, and this node merges with their mesh.

import { decodeInvite, isInvite } from '../../protocols/invite.ts'
import type { Log } from '../base/log.ts'
import type { Network } from '../network/network.ts'
import { keyOf, type Remembered } from '../network/plan-redial.ts'

export interface HandPickedParts {
  readonly network: Network
  readonly log: Log
  /** Turns http://host:8000 into multiaddrs; a multiaddr passes. */
  readonly resolve: (target: string, signal: AbortSignal) => Promise<readonly string[]>
  readonly merge: (peerId: string) => Promise<void>
  /** Keeps the targets that `join` left and that were not met yet. */
  readonly saveJoins: (targets: readonly string[]) => Promise<void>
}

export interface Picks {
  readonly bootstrap: readonly string[]
  /** What `join` left for this start. */
  readonly joins: readonly string[]
}

export class HandPicked {
  readonly #parts: HandPickedParts
  readonly #remembered: readonly Remembered[]
  /** By the key of what is remembered: what `join` left. */
  readonly #joins: Map<string, string>

  constructor(parts: HandPickedParts, { bootstrap, joins }: Picks) {
    this.#parts = parts
    const picks = [...bootstrap, ...joins].map((target) => ({ target, ...pickOf(target) }))
    this.#remembered = picks
    this.#joins = new Map(
      picks.filter(({ target }) => joins.includes(target)).map((pick) => [keyOf(pick), pick.target])
    )
  }

  remembered(): readonly Remembered[] {
    return this.#remembered
  }

  /**
   * As Network.dial. For whom a person named, addresses of any kind, and the two are merged; what a
   * record says is never asked for by HTTP.
   */
  async dial(addresses: readonly string[], signal: AbortSignal) {
    const { network, resolve, merge, log } = this.#parts
    const key = keyOf({ id: undefined, addresses })
    if (!this.#remembered.some((pick) => keyOf(pick) === key)) {
      return network.dial(addresses, signal)
    }
    const resolved = await Promise.all(addresses.map((address) => resolve(address, signal)))
    const peer = await network.dial(resolved.flat(), signal)
    merge(peer.id)
      .then(() => this.#met(key))
      .catch((error) => log.warn({ peer: peer.id, err: error }, 'a server was not joined yet'))
    return peer
  }

  async #met(key: string): Promise<void> {
    if (this.#joins.delete(key)) await this.#parts.saveJoins([...this.#joins.values()])
  }
}

function pickOf(target: string): Remembered {
  const addresses = isInvite(target) ? decodeInvite(target).addresses : [target]
  return { id: undefined, addresses }
}
