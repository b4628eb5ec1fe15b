// Peers get entries as soon as they are connected, and are members once their own record has come.
// Who has got something and whose record was lost on its way counts as a member all the same when
// deletions are to be forgotten: it may come back after years with what it got.

import type { ImageIndex } from '../index/image-index.ts'
import type { Transaction } from '../index/transaction.ts'
import type { Network } from '../network/network.ts'

type EntriesNetwork = Pick<Network, 'id' | 'peers' | 'open'>

export interface MetPeersParts {
  readonly index: ImageIndex
  /** Whether a peer has a record as a member, or had one and was removed. */
  readonly hasRecord: (tx: Transaction, peerId: string) => boolean
}

export class MetPeers {
  readonly #parts: MetPeersParts
  /** A record stays: it says at least that its member was removed. */
  readonly #recorded = new Set<string>()

  constructor(parts: MetPeersParts) {
    this.#parts = parts
  }

  /**
   * To be awaited before a peer is sent anything. Where nothing can be written, a peer gets what it
   * asks for all the same.
   */
  async note(peerId: string): Promise<void> {
    if (this.#recorded.has(peerId) || this.#isMet(peerId)) return
    const { index, hasRecord } = this.#parts
    try {
      await index.change((tx) => {
        const isKnown = (id: string) => hasRecord(tx, id)
        if (isKnown(peerId)) this.#recorded.add(peerId)
        else tx.shared.meet(peerId, isKnown)
      })
    } catch {
      // a full disk takes no images that could be deleted, either
    }
  }

  /** Whoever is noted may be removed, or make room for others, and come again. */
  #isMet(peerId: string): boolean {
    const met = this.#parts.index.meta('met') as readonly string[] | undefined
    return met?.includes(peerId) ?? false
  }

  /** The network, with streams for entries that are opened once the peer is noted. */
  noting(network: EntriesNetwork): EntriesNetwork {
    return {
      get id() {
        return network.id
      },
      peers: () => network.peers(),
      open: async (peerId, protocol, signal) => {
        // who is not there gets nothing, and its deletions would be waited for
        if (network.peers().some(({ id }) => id === peerId)) await this.note(peerId)
        return network.open(peerId, protocol, signal)
      }
    }
  }
}
