// A large blob that a reader waits for: one holder after the other sends what is lacking of it.

import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { STATUS } from '../../protocols/status.ts'
import { WireError } from '../../protocols/wire-error.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { GrowingBlob, GrowingBlobs } from '../blob-sync/growing-blob.ts'
import type { ReaderLines, Wait } from '../blob-sync/reader-lines.ts'
import type { Transfers } from '../blob-sync/transfers.ts'
import type { NamelessBlob } from '../store/blob-store.ts'
import { AskedHolders } from './in-turn.ts'
import type { FlowParts } from './parts.ts'
import { Unneeded } from './take-in.ts'

export interface GrowFromHoldersParts {
  readonly flows: Pick<FlowParts, 'room'>
  readonly growing: GrowingBlobs
  readonly transfers: Transfers
  readonly lines: ReaderLines
  /** Whom to ask, one after the other. */
  readonly holders: (
    hash: ContentHash,
    tried: ReadonlySet<string>
  ) => Generator<{ peerId: string; isLast: boolean }, undefined>
  /** Throws only what is not the peer's fault. */
  readonly blaming: (peerId: string, hash: ContentHash, ask: () => Promise<void>) => Promise<void>
  /** Whether it is kept. */
  readonly keep: (peerId: string, blob: NamelessBlob) => Promise<boolean>
}

/** Blobs that turned out wrong in the end are begun anew this often. */
const WRONG_MAX = 3

export class GrowFromHolders {
  readonly #parts: GrowFromHoldersParts

  constructor(parts: GrowFromHoldersParts) {
    this.#parts = parts
  }

  /**
   * The peer that sent the end of it, once it is kept; undefined if nobody could. Once more from
   * the start after bytes that were not right. Throws what this node's own disk has against it.
   */
  async whole(hash: ContentHash, bytes: number): Promise<string | undefined> {
    const asked = new AskedHolders()
    for (let wrong = 0; wrong < WRONG_MAX; wrong++) {
      const blob = this.#parts.growing.enter(hash, bytes)
      try {
        const peerId = await this.#grow(blob, asked)
        if (peerId !== undefined) return peerId
        if (!isWrong(blob.failure)) return undefined
      } finally {
        blob.leave()
      }
    }
    return undefined
  }

  /** Until it is whole and kept, or has failed. */
  async #grow(blob: GrowingBlob, asked: AskedHolders): Promise<string | undefined> {
    const holders = asked.inTurn(this.#parts.holders(blob.hash, asked.tried))
    try {
      await blob.ready
      for (;;) {
        if (await blob.idle()) return blob.from // replication was at it
        if (blob.isOver) return undefined
        const holder = holders.next().value
        if (holder === undefined) break
        if (await this.#growFrom(holder.peerId, blob, holder.wait, asked)) return holder.peerId
      }
    } catch (error) {
      blob.fail(error)
      throw error
    }
    const sentence = 'No server that is connected could send this image.'
    const details = { hash: blob.hash, ...saidAs('image_not_sent') }
    blob.fail(new NodeError('NOT_AVAILABLE', sentence, details))
    return undefined
  }

  async #growFrom(
    peerId: string,
    blob: GrowingBlob,
    wait: Wait,
    holders: AskedHolders
  ): Promise<boolean> {
    const { flows, transfers, lines, blaming, keep } = this.#parts
    const { hash, bytes } = blob
    let offset = 0
    let filling: Promise<NamelessBlob> | undefined
    const take = async ({ status, length, body }: BlobAnswer) => {
      if (status !== STATUS.OK) return
      if (length !== bytes - offset) throw new Unneeded('it has another size')
      if (!blob.isResting) throw new Unneeded('replication was faster')
      flows.room.take(length)
      const coming = transfers.counted({ hash, peerId, bytesDone: offset, bytes }, body)
      filling = blob.fill(peerId, coming)
      await filling
    }
    const asked = () => {
      offset = blob.bytesDone
      return blob.isResting ? { hash, offset } : undefined
    }
    await blaming(peerId, hash, () =>
      holders.unlessSlow(peerId, lines.askAlone(peerId, bytes, { wait, asked }, take))
    )
    const whole = await outcomeOf(filling)
    if (whole === undefined) {
      // the wrong bytes may be those of an earlier peer: this one gets a chance to send them all
      if (isWrong(blob.failure) && offset > 0) holders.tried.delete(peerId)
      return false
    }
    let kept = false
    try {
      kept = await keep(peerId, whole)
    } finally {
      blob.kept(kept)
    }
    return kept
  }
}

function isWrong(failure: unknown): boolean {
  return failure instanceof WireError && failure.fault === 'BAD_HASH'
}

/** What it was rejected with has been thrown to who asked the peer. */
export function outcomeOf<T>(work: Promise<T> | undefined): Promise<T | undefined> {
  return work === undefined ? Promise.resolve(undefined) : work.catch(() => undefined)
}
