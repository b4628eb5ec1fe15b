// Takes in what peers send in bulk: bytes are staged while they come, and kept behind the next
// answer.

import { UNNEEDED_BYTES_MAX } from '../../protocols/blobs/limits.ts'
import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import { STATUS } from '../../protocols/status.ts'
import { NodeError } from '../base/errors.ts'
import type { BlobPeers } from '../blob-sync/blob-peers.ts'
import type { GrowingBlobs } from '../blob-sync/growing-blob.ts'
import type { WantedBlob } from '../blob-sync/plan-wants.ts'
import type { Transfers } from '../blob-sync/transfers.ts'
import { type NamelessBlob, SMALL_BLOB_BYTES_MAX } from '../store/blob-store.ts'
import type { ReplicaKeeper } from './keep-replica.ts'
import type { FlowParts } from './parts.ts'

export interface TakeInParts {
  readonly flows: FlowParts
  readonly peers: BlobPeers
  readonly growing: GrowingBlobs
  readonly transfers: Transfers
  readonly keeper: ReplicaKeeper
}

export interface TakeEvents {
  readonly onWhole: (whole: Uint8Array) => void
  readonly onEnd: (kept: boolean) => void
}

/** Bytes come that are of no use, which is nobody's fault: their stream is broken for it. */
export class Unneeded extends Error {}

export class TakeIn {
  readonly #parts: TakeInParts

  constructor(parts: TakeInParts) {
    this.#parts = parts
  }

  /** Bytes that are here already, of an earlier try or an earlier run. */
  async offsetOf({ hash, bytes }: WantedBlob): Promise<number> {
    if (bytes <= SMALL_BLOB_BYTES_MAX) return 0
    const blob = this.#parts.growing.enter(hash, bytes)
    try {
      await blob.ready
      return blob.bytesDone
    } finally {
      blob.leave()
    }
  }

  /**
   * False if the peer does not give the blob. `onWhole` hears of the bytes of a small one when they
   * are right; `onEnd` is called later, when it is kept, or could not be. Throws what the body
   * throws, Unneeded, HASH_MISMATCH or WireError for other bytes, and disk errors: then `onEnd` is
   * not called.
   */
  async take(
    peerId: string,
    answer: BlobAnswer,
    { hash, bytes }: WantedBlob,
    { onEnd, onWhole }: TakeEvents
  ): Promise<boolean> {
    const { flows, transfers, keeper } = this.#parts
    const { offset, status, length } = answer
    if (status !== STATUS.OK || length !== bytes - offset) return false
    await keeper.room()
    flows.room.take(length)
    if (bytes > SMALL_BLOB_BYTES_MAX) {
      await this.#grow(peerId, answer, bytes, onEnd)
      return true
    }
    const coming = transfers.begin({ hash, peerId, bytesDone: 0, bytes })
    let whole: Uint8Array
    try {
      whole = await answer.whole()
    } finally {
      coming.end()
    }
    coming.add(whole.byteLength)
    const staged = flows.store.stageWhole(whole)
    if (staged.hash !== hash) {
      flows.store.finish(staged)
      throw new NodeError('HASH_MISMATCH', `the bytes that came for ${hash} are others`)
    }
    onWhole(whole)
    this.keep(peerId, staged, onEnd)
    return true
  }

  async idle(): Promise<void> {
    await this.#parts.keeper.idle()
  }

  /** Those of a large blob are shared with who reads it meanwhile, and stay if they break off. */
  async #grow(
    peerId: string,
    { hash, offset, length, body }: BlobAnswer,
    bytes: number,
    onEnd: TakeEvents['onEnd']
  ): Promise<void> {
    const { growing, transfers } = this.#parts
    const blob = growing.enter(hash, bytes)
    try {
      await blob.ready
      if (!blob.isResting || blob.bytesDone !== offset) {
        if (length > UNNEEDED_BYTES_MAX) throw new Unneeded('a reader was faster')
        for await (const _ of body);
        onEnd(false)
        return
      }
      const coming = transfers.counted({ hash, peerId, bytesDone: offset, bytes }, body)
      const whole = await blob.fill(peerId, coming)
      blob.enter()
      this.keep(peerId, whole, (kept) => {
        blob.kept(kept)
        blob.leave()
        onEnd(kept)
      })
    } finally {
      blob.leave()
    }
  }

  /** What has come and is right becomes this node's own; `onEnd` hears whether it is kept. */
  keep(peerId: string, blob: NamelessBlob, onEnd: (kept: boolean) => void): void {
    this.#parts.peers.received(peerId, blob.bytes)
    this.#parts.transfers.arrived()
    this.#parts.keeper.keep(blob, onEnd)
  }
}
