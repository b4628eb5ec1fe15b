// Files under images/ that nothing is to be done about as long as they stay as they are: they are
// neither read again nor told of again.

import { type FileStamp, sameStamp } from '../store/blob-store.ts'

/** About 200 bytes each; the oldest are forgotten, and looked at again. */
const FILES_MAX = 10_000

export class LeftFiles {
  readonly #stamps = new Map<string, FileStamp>()

  has(name: string, stamp: FileStamp): boolean {
    const known = this.#stamps.get(name)
    return known !== undefined && sameStamp(known, stamp)
  }

  add(name: string, stamp: FileStamp): void {
    this.#stamps.delete(name)
    this.#stamps.set(name, stamp)
    const [oldest] = this.#stamps.keys()
    if (this.#stamps.size > FILES_MAX && oldest !== undefined) this.#stamps.delete(oldest)
  }

  delete(name: string): void {
    this.#stamps.delete(name)
  }
}
