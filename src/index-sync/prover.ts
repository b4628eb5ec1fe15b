// Proves with a peer that both have the same below a cut (rule 5): what is proved is known until
// an entry comes late. Who was proved to have everything need not be waited for when a deletion is
// forgotten.

import { firstBatchOf } from '../../protocols/entries/batch.ts'
import { refOf } from '../../protocols/entries/entry-ref.ts'
import { VOUCHES_MAX } from '../../protocols/entries/limits.ts'
import type { EntriesClient } from '../../protocols/entries/request.ts'
import type { Claim, Proof, Verdict } from '../../protocols/entries/source.ts'
import type { Entry } from '../../protocols/entry.ts'
import { bucketAt, bucketOf, isSameNode } from '../../protocols/time-tree-shape.ts'
import { CLOCK_MS_MAX } from '../../protocols/version.ts'
import type { Clock } from '../base/clock.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { forgettableUntil, sharesPast, vouchesOf } from '../index/plan-watermarks.ts'
import type { Transaction } from '../index/transaction.ts'

/** What is as young as this may still be on its way. */
const SETTLED_MS = 2_000

export interface ProverParts {
  readonly index: ImageIndex
  readonly clock: Clock
  /** The members of the mesh by peer id, with the database that each says it has. */
  readonly members: (tx: Transaction) => Promise<ReadonlyMap<string, string | undefined>>
  /** Whether a node was a member of the mesh and was removed. */
  readonly wasRemoved: (tx: Transaction, peerId: string) => boolean
}

export class Prover {
  readonly #parts: ProverParts

  constructor(parts: ProverParts) {
    this.#parts = parts
  }

  /** The asking side. True if both were the same below the cut. */
  async ask(client: EntriesClient, peerId: string, signal: AbortSignal): Promise<boolean> {
    const { index } = this.#parts
    const cut = this.#cut()
    const known = index.watermarks()[peerId]
    if (known !== undefined && known.until >= cut) return true
    const { horizon } = client
    if (horizon > this.#horizonMax()) return false
    const claim = await index.change(async (tx): Promise<Claim> => {
      // before the peer can believe it: nothing is written here below the cut any more
      tx.shared.raiseFloor(cut)
      const sums = await tx.shared.sums(cut, horizon)
      return { cut, horizon, sums, ...this.#standing(tx) }
    })
    const proof = await client.prove(claim, signal)
    if (!proof.equal) return false
    return index.change(
      async (tx) => {
        if (tx.shared.horizon > horizon) return false
        // what came meanwhile was not compared
        if (!isSameNode(await tx.shared.sums(cut, horizon), claim.sums)) return false
        await this.#believe(tx, peerId, claim, proof)
        return true
      },
      { durable: false } // what is known less of is only waited for
    )
  }

  /** The side that is asked. */
  answer(claim: Claim, peerId: string): Promise<Proof> {
    const { cut, horizon } = claim
    return this.#parts.index.change(async (tx): Promise<Proof> => {
      const standing = this.#standing(tx)
      const refusal: Proof = { equal: false, ...standing }
      // a clock that is ahead must not draw the versions of others after it
      if (cut > this.#cut() || horizon > this.#horizonMax()) return refusal
      // what is below the horizon and not below the cut is not compared, and so not proved
      if (tx.shared.horizon > horizon || horizon > cut) return refusal
      if (!isSameNode(await tx.shared.sums(cut, horizon), claim.sums)) return refusal
      tx.shared.raiseFloor(cut)
      await this.#believe(tx, peerId, claim, claim)
      return { equal: true, ...standing }
    })
  }

  /**
   * On images that were offered here and may have been deleted and forgotten, and on others whose
   * deletions the comparison does not show; if there are any.
   */
  verdict(
    tx: Transaction,
    images: readonly Entry[],
    deletions: readonly Entry[]
  ): Verdict | undefined {
    if (images.length + deletions.length === 0) return undefined
    const { database, vouches } = this.#standing(tx)
    // of one that was removed before anything was proved with it nothing else would tell
    const removed = [...new Set(images.map(({ writer }) => writer))]
      .filter((writer) => this.#parts.wasRemoved(tx, writer))
      .map((member) => ({ member, database: '', until: 0 }))
    return {
      refs: images.map(refOf),
      database,
      vouches: [...removed, ...vouches].slice(0, VOUCHES_MAX),
      deletions: firstBatchOf(deletions)
    }
  }

  /**
   * Takes a verdict on images that this node has offered: to review with them, or written anew if
   * neither this node nor their writer was ever of one mesh with the peer. Returns how many it
   * concerned.
   */
  take({ refs, database, vouches }: Omit<Verdict, 'deletions'>, peerId: string): Promise<number> {
    const known = new Set([peerId, ...vouches.map(({ member }) => member)])
    return this.#parts.index.change((tx) => {
      const own = String(tx.meta('database'))
      const isShared =
        tx.meta('pastLost') === true || sharesPast(tx.shared.watermarks, own, database, vouches)
      let taken = 0
      for (const ref of refs) {
        const image = tx.imageOf(ref)
        if (image === undefined || bucketOf(ref.version) >= this.#horizonMax()) continue
        if (isShared || known.has(image.writer)) tx.putToReview(image, peerId)
        else tx.writeAnew(image)
        taken++
      }
      return taken
    })
  }

  #standing(tx: Transaction) {
    const vouches = vouchesOf(tx.shared.watermarks)
    return { database: String(tx.meta('database')), vouches }
  }

  async #believe(
    tx: Transaction,
    peerId: string,
    { cut, horizon }: Pick<Claim, 'cut' | 'horizon'>,
    { database, vouches }: Pick<Proof, 'database' | 'vouches'>
  ): Promise<void> {
    const databases = await this.#parts.members(tx)
    tx.shared.makeRoom(databases)
    tx.shared.note(peerId, { until: cut, database })
    // One of the two may have collected up to there. If all of a mesh do as it does, a server with
    // a past of its own is told the same by whomever it meets first.
    tx.shared.raiseHorizon(horizon)
    if (tx.meta('pastLost') === true) tx.setMeta('pastLost', false)
    tx.shared.trust(vouches, { until: cut, databases })
  }

  /** Nothing is written later than that, whatever the clock says: so the floor lies below, too. */
  #cut(): number {
    return bucketAt(Math.min(this.#parts.clock.now(), CLOCK_MS_MAX) - SETTLED_MS)
  }

  #horizonMax(): number {
    return forgettableUntil(this.#parts.clock.now())
  }
}
