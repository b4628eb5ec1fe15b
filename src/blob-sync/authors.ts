// Who wrote the newest images, and under which path: writers have the bytes before anybody else can
// say so.

import { type Entry, type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'

/** What is older has been told of by those who hold it. */
const AUTHORS_MAX = 20_000

type Written = Pick<ImageEntry, 'writer' | 'path'>

export class Authors {
  readonly #images = new Map<ContentHash, Written>()

  /** Entries of other nodes that have just come. */
  note(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (isImage(entry)) this.#images.set(entry.hash, { writer: entry.writer, path: entry.path })
    }
    for (const hash of this.#images.keys()) {
      if (this.#images.size <= AUTHORS_MAX) break
      this.#images.delete(hash)
    }
  }

  /** The peer that wrote the image; undefined if that is long ago. */
  of(hash: ContentHash): string | undefined {
    return this.#images.get(hash)?.writer
  }

  /** The path under which it was written, which may name another blob by now. */
  pathOf(hash: ContentHash): ImagePath | undefined {
    return this.#images.get(hash)?.path
  }
}
