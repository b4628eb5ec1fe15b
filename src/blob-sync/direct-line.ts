// A connection to a peer whose blobs go to the disk without this thread seeing a byte of them.

import type { ContentHash } from '../../protocols/hash.ts'
import type { NamelessBlob } from '../store/blob-store.ts'

export interface DirectItem {
  readonly hash: ContentHash
  /** Bytes that are here already. */
  readonly offset: number
  /** Of the whole blob. */
  readonly bytes: number
  /** The file that a large blob grows in, whose first `offset` bytes are here. */
  readonly partial?: string | undefined
}

/** Hears what becomes of what was asked for, in the order in which it was. */
export interface DirectTake {
  /** A small one is here, and right; `saved` bytes did not have to come, as it was packed. */
  came(blob: NamelessBlob, saved: number): void
  /** The peer does not give it. */
  lacking(hash: ContentHash): void
  /** So many bytes of a large one are in its file; since the last word `saved` did not come. */
  grown(hash: ContentHash, bytesDone: number, saved: number): void
  /** All of them are, and whether they are right. */
  whole(hash: ContentHash, isRight: boolean): void
}

export interface DirectLine {
  /** It reads no more because what has come is not kept yet. */
  readonly isFull: boolean
  /**
   * Resolves when all was answered. Throws StatusError if the peer refuses the request as a whole,
   * and else whatever broke the line; then no file of it is written to any more.
   */
  fetch(items: readonly DirectItem[], take: DirectTake): Promise<void>
  /** Ends it in good order, once nothing is asked any more. */
  end(): void
  abort(error: Error): void
}
