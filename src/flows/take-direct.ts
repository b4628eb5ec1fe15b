// Takes in what peers send on direct lines: another thread has verified and written it, and here it
// gets its name.

import type { ContentHash } from '../../protocols/hash.ts'
import { STATUS, StatusError } from '../../protocols/status.ts'
import type { DirectItem, DirectTake } from '../blob-sync/direct-line.ts'
import type { GrowingBlob } from '../blob-sync/growing-blob.ts'
import type { WantedBlob } from '../blob-sync/plan-wants.ts'
import type { Coming } from '../blob-sync/transfers.ts'
import { SMALL_BLOB_BYTES_MAX } from '../store/blob-store.ts'
import { breakIfSlow } from './break-if-slow.ts'
import type { TakeIn, TakeInParts } from './take-in.ts'

export interface DirectResults {
  /** The blob has come, or will not: the peer owes it no more. */
  close(blob: WantedBlob): void
  /** The peer does not give it. */
  lacking(blob: WantedBlob): void
  /** So many more bytes have passed for it. */
  passed(hash: ContentHash, bytes: number): void
  /** It is kept, or could not be. */
  end(hash: ContentHash, kept: boolean): void
  /** Whether others can be asked for what is still to come. */
  isElsewhere(): boolean
}

const NOT_GIVEN = new StatusError(STATUS.MISSING, '')

/** A large blob that the other thread writes. */
interface Growth {
  readonly blob: GrowingBlob
  readonly coming: Coming
  readonly onGrown: (bytesDone: number) => void
  /** Whether the bytes are right. */
  readonly verdict: PromiseWithResolvers<boolean>
  bytesDone: number
}

export class TakeDirect {
  readonly #parts: TakeInParts
  readonly #takeIn: TakeIn

  constructor(parts: TakeInParts, takeIn: TakeIn) {
    this.#parts = parts
    this.#takeIn = takeIn
  }

  /**
   * Asks a peer that has a direct line. Throws as DirectLine.fetch, DISK_FULL where a blob has no
   * room, when the others have come, and WireError BAD_HASH.
   */
  async fetch(peerId: string, blobs: readonly WantedBlob[], results: DirectResults): Promise<void> {
    const { keeper, flows, peers } = this.#parts
    await keeper.room()
    const growths = new Map<ContentHash, Growth>()
    const growing: Promise<void>[] = []
    const items: DirectItem[] = []
    let full: unknown
    for (const blob of blobs) {
      const { hash, bytes } = blob
      if (bytes <= SMALL_BLOB_BYTES_MAX) {
        try {
          flows.room.take(bytes)
        } catch (error) {
          full = error
          break
        }
        items.push({ hash, offset: 0, bytes })
      } else {
        const grows = this.#grow(peerId, blob, results, (item, growth) => {
          items.push(item)
          growths.set(hash, growth)
        })
        await grows.begun
        growing.push(grows.done)
      }
    }
    const wanted = new Map(blobs.map((blob) => [blob.hash, blob]))
    const taking = this.#taking(peerId, wanted, growths, results)
    const failures = new Set<unknown>()
    if (items.length > 0)
      await peers.direct
        .fetch(peerId, items, taking, results.isElsewhere)
        .catch((error) => failures.add(error))
    for (const { verdict } of growths.values()) verdict.reject([...failures][0])
    for (const one of growing) await one.catch((error) => failures.add(error))
    failures.delete(NOT_GIVEN)
    if (full !== undefined) failures.add(full)
    for (const failure of failures) throw failure
  }

  #taking(
    peerId: string,
    wanted: ReadonlyMap<ContentHash, WantedBlob>,
    growths: ReadonlyMap<ContentHash, Growth>,
    { close, lacking, passed, end }: DirectResults
  ): DirectTake {
    const { transfers, flows, growing, peers } = this.#parts
    const pace = { traffic: flows.traffic, growing }
    const about = (hash: ContentHash) => wanted.get(hash) as WantedBlob
    return {
      came: (blob, saved) => {
        const { hash, bytes } = blob
        const coming = transfers.begin({ hash, peerId, bytesDone: 0, bytes })
        coming.add(bytes)
        coming.end()
        passed(hash, bytes - saved)
        this.#takeIn.keep(peerId, blob, (kept) => end(hash, kept))
        close(about(hash))
      },
      lacking: (hash) => {
        growths.get(hash)?.verdict.reject(NOT_GIVEN)
        end(hash, false)
        lacking(about(hash))
        close(about(hash))
      },
      grown: (hash, bytesDone, saved) => {
        const growth = growths.get(hash)
        if (growth === undefined) return
        growth.coming.add(bytesDone - growth.bytesDone)
        passed(hash, bytesDone - growth.bytesDone - saved)
        growth.bytesDone = bytesDone
        growth.onGrown(bytesDone)
        const blob = about(hash)
        try {
          breakIfSlow(pace, peerId, blob, blob.bytes - bytesDone)
        } catch (unneeded) {
          peers.direct.drop(peerId, unneeded as Error)
        }
      },
      whole: (hash, isRight) => {
        growths.get(hash)?.verdict.resolve(isRight)
        if (isRight) close(about(hash))
      }
    }
  }

  /** `begun` resolves once it is known whether the blob is asked for; `done` when it is here. */
  #grow(
    peerId: string,
    { hash, bytes }: WantedBlob,
    { end }: DirectResults,
    onBegin: (item: DirectItem, growth: Growth) => void
  ): { begun: Promise<void>; done: Promise<void> } {
    const { flows, growing, transfers } = this.#parts
    const blob = growing.enter(hash, bytes)
    const begun = Promise.withResolvers<void>()
    const run = async () => {
      await blob.ready
      // a reader was faster
      if (!blob.isResting) return end(hash, false)
      const offset = blob.bytesDone
      flows.room.take(bytes - offset)
      const coming = transfers.begin({ hash, peerId, bytesDone: offset, bytes })
      const verdict = Promise.withResolvers<boolean>()
      const filling = blob.fillBy(peerId, (partial, onGrown) => {
        const growth = { blob, coming, onGrown, verdict, bytesDone: offset }
        onBegin({ hash, offset, bytes, partial }, growth)
        begun.resolve()
        return verdict.promise
      })
      const whole = await filling.finally(() => coming.end())
      blob.enter()
      this.#takeIn.keep(peerId, whole, (kept) => {
        blob.kept(kept)
        blob.leave()
        end(hash, kept)
      })
    }
    const done = run().finally(() => {
      begun.resolve()
      blob.leave()
    })
    done.catch(() => {}) // awaited by whoever asks
    return { begun: begun.promise, done }
  }
}
