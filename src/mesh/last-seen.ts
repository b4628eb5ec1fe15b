// When each server was last connected, over restarts of this node.

import type { FlowParts } from '../flows/parts.ts'
import type { Remembered } from '../network/plan-redial.ts'
import type { SyncNetwork } from './admitted-network.ts'

const META = 'seen'
/** Servers that are remembered: those that were here last. */
const SERVERS_MAX = 1000

export interface LastSeenParts {
  readonly network: Pick<SyncNetwork, 'peers' | 'onPeer'>
  readonly flows: Pick<FlowParts, 'index' | 'clock' | 'log'>
}

export class LastSeen {
  readonly #parts: LastSeenParts
  readonly #seenMs: Map<string, number>

  constructor(parts: LastSeenParts) {
    this.#parts = parts
    this.#seenMs = readSeen(parts.flows.index.meta(META))
    parts.network.onPeer(({ id }, event) => {
      this.#note(id)
      if (event === 'down') void this.save()
    })
  }

  /** Milliseconds since 1970 when it was last connected; undefined if it never was. */
  at(peerId: string): number | undefined {
    if (this.#parts.network.peers().some(({ id }) => id === peerId)) this.#note(peerId)
    return this.#seenMs.get(peerId)
  }

  /** Those that were here last are likely to be there still. */
  newestFirst(members: readonly Remembered[]): readonly Remembered[] {
    const seenMs = ({ id }: Remembered) => this.#seenMs.get(id ?? '') ?? 0
    return [...members].sort((a, b) => seenMs(b) - seenMs(a))
  }

  /** Writes it down, without waiting for the disk. Never rejects. */
  async save(): Promise<void> {
    const { network, flows } = this.#parts
    for (const { id } of network.peers()) this.#note(id)
    const seen = Object.fromEntries(this.#seenMs)
    try {
      await flows.index.change((tx) => tx.setMeta(META, seen), { durable: false })
    } catch (error) {
      flows.log.debug({ err: error }, 'when servers were last seen was not written')
    }
  }

  #note(peerId: string): void {
    this.#seenMs.delete(peerId)
    this.#seenMs.set(peerId, this.#parts.flows.clock.now())
    if (this.#seenMs.size > SERVERS_MAX) {
      this.#seenMs.delete(this.#seenMs.keys().next().value as string)
    }
  }
}

function readSeen(meta: unknown): Map<string, number> {
  const entries = typeof meta === 'object' && meta !== null ? Object.entries(meta) : []
  return new Map(entries.filter(([, ms]) => typeof ms === 'number'))
}
