// Servers that a person named: with --bootstrap, or with join while this node was stopped. They are
// dialled for as long as the node lives, and this node merges with their mesh.

import { decodeInvite, isInvite } from '../../protocols/invite.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Network } from '../network/network.ts'
import { keyOf, type Remembered } from '../network/plan-redial.ts'

export interface HandPickedParts {
  readonly network: Network
  readonly log: Log
  /** Turns http://host:8000 into multiaddrs; a multiaddr passes. */
  readonly resolve: (target: string, signal: AbortSignal) => Promise<readonly string[]>
  readonly merge: (peerId: string) => Promise<void>
  /** The targets that `join` has left in the data folder and that were not met yet. */
  readonly readJoins: () => readonly string[]
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
  /** Told already. */
  readonly #failed = new Set<string>()

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

  /** Meets what `join` has left since the start: it did not find this node, which came up then. */
  async follow(meet: (target: string) => Promise<unknown>): Promise<void> {
    const known = new Set(this.#joins.values())
    for (const target of this.#parts.readJoins()) {
      if (known.has(target)) continue
      try {
        await meet(target)
        await this.#drop(target)
        this.#failed.delete(target)
      } catch (error) {
        if (error instanceof NodeError && error.code === 'BAD_INVITE') {
          this.#parts.log.error({ err: error }, 'an invite is left out')
          await this.#drop(target)
          continue
        }
        if (this.#failed.has(target)) continue
        this.#failed.add(target)
        this.#parts.log.warn({ err: error }, 'a server was not joined yet; tried again')
      }
    }
  }

  async #met(key: string): Promise<void> {
    const target = this.#joins.get(key)
    if (this.#joins.delete(key) && target !== undefined) await this.#drop(target)
  }

  async #drop(target: string): Promise<void> {
    const { readJoins, saveJoins } = this.#parts
    await saveJoins(readJoins().filter((one) => one !== target))
  }
}

function pickOf(target: string): Remembered {
  const addresses = isInvite(target) ? decodeInvite(target).addresses : [target]
  return { id: undefined, addresses }
}
