// Blobs whose bytes were verified as they came: they can be read, though they are not held before
// they are durable.

import type { ContentHash } from '../../protocols/hash.ts'
import type { FileStamp } from '../store/blob-store.ts'

export class Arrivals {
  readonly #stamps = new Map<ContentHash, FileStamp>()
  /** Who waits for the end of one that may not even have come yet. */
  readonly #waiting = new Map<ContentHash, Set<() => void>>()

  note(hash: ContentHash, stamp: FileStamp): void {
    this.#stamps.set(hash, stamp)
  }

  /** Its row says more by now, or it is gone. */
  end(hash: ContentHash): void {
    this.#stamps.delete(hash)
    const waiting = this.#waiting.get(hash) ?? []
    this.#waiting.delete(hash)
    for (const listener of waiting) listener()
  }

  stamp(hash: ContentHash): FileStamp | undefined {
    return this.#stamps.get(hash)
  }

  /** Calls the listener once, at the next end; the returned function calls that off. */
  onEnd(hash: ContentHash, listener: () => void): () => void {
    const waiting = this.#waiting.get(hash) ?? new Set()
    this.#waiting.set(hash, waiting)
    waiting.add(listener)
    return () => {
      waiting.delete(listener)
      if (waiting.size === 0 && this.#waiting.get(hash) === waiting) this.#waiting.delete(hash)
    }
  }
}
