// What one peer was asked for and has neither sent nor refused: it owes it, and limits count it.

import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { BlobPeers } from '../blob-sync/blob-peers.ts'
import { Charge } from '../blob-sync/charge.ts'
import { owedFor, type WantedBlob } from '../blob-sync/plan-wants.ts'
import type { Traffic } from '../blob-sync/traffic.ts'

export interface OpenRequestParts {
  readonly peers: Pick<BlobPeers, 'owes'>
  readonly traffic: Pick<Traffic, 'cameNot'>
}

export class OpenRequest {
  readonly #peers: OpenRequestParts['peers']
  readonly #peerId: string
  readonly #open: Map<ContentHash, WantedBlob>
  readonly #charges = new Map<ContentHash, Charge>()

  /** The peer owes the blobs, and the limits know of them. */
  constructor({ peers, traffic }: OpenRequestParts, peerId: string, blobs: readonly WantedBlob[]) {
    this.#peers = peers
    this.#peerId = peerId
    this.#open = new Map(blobs.map((blob) => [blob.hash, blob]))
    for (const { hash, bytes, purpose } of blobs) {
      if (purpose === undefined) continue
      this.#charges.set(hash, new Charge(traffic, { purpose, peerId, bytes }))
    }
  }

  get(hash: ContentHash): WantedBlob | undefined {
    return this.#open.get(hash)
  }

  get blobs(): readonly WantedBlob[] {
    return [...this.#open.values()]
  }

  /** So many bytes have passed for it. */
  passed(hash: ContentHash, bytes: number): void {
    this.#charges.get(hash)?.passed(bytes)
  }

  /** An answer whose bytes count as they come. */
  counted(answer: BlobAnswer): BlobAnswer {
    return this.#charges.get(answer.hash)?.counted(answer) ?? answer
  }

  /** It has come, or will not. May be called more than once. */
  close({ hash, bytes, isSlow }: WantedBlob): void {
    if (!this.#open.delete(hash)) return
    if (!isSlow) this.#peers.owes(this.#peerId, -owedFor(bytes))
    this.#charges.get(hash)?.end()
  }
}
