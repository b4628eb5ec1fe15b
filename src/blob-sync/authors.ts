// Who wrote the newest images: they have the bytes before anybody else can say so.

import { type Entry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'

/** What is older has been told of by those who hold it. */
const AUTHORS_MAX = 20_000

export class Authors {
  readonly #writers = new Map<ContentHash, string>()

  /** Entries of other nodes that have just come. */
  note(entries: readonly Entry[]): void {
    for (const entry of entries) if (isImage(entry)) this.#writers.set(entry.hash, entry.writer)
    for (const hash of this.#writers.keys()) {
      if (this.#writers.size <= AUTHORS_MAX) break
      this.#writers.delete(hash)
    }
  }

  /** The peer that wrote the image; undefined if that is long ago. */
  of(hash: ContentHash): string | undefined {
    return this.#writers.get(hash)
  }
}
