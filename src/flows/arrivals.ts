// Blobs whose bytes were verified as they came: they can be read, though they are not held before
// they are durable.

import type { ContentHash } from '../../protocols/hash.ts'
import type { FileStamp } from '../store/blob-store.ts'

export class Arrivals {
  readonly #stamps = new Map<ContentHash, FileStamp>()

  note(hash: ContentHash, stamp: FileStamp): void {
    this.#stamps.set(hash, stamp)
  }

  /** Its row says more by now, or it is gone. */
  end(hash: ContentHash): void {
    this.#stamps.delete(hash)
  }

  stamp(hash: ContentHash): FileStamp | undefined {
    return this.#stamps.get(hash)
  }
}
