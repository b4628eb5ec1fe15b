// What images/ shows and the rows of the view do not say yet.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Intent } from '../index/intent.ts'
import type { ViewRow } from '../index/rows.ts'
import type { FileStamp } from '../store/blob-store.ts'

/** A view step that is done but whose intent is still open. */
export interface ShownView {
  readonly path: ImagePath
  readonly intent: Intent
  readonly row: ViewRow | undefined
  /** Names whose folders must be durable first. */
  readonly names: readonly string[]
  /** Blobs whose link count this changed, and with it their ctime; with their new stamps. */
  readonly stamps: ReadonlyMap<ContentHash, FileStamp>
}

export class ShownViews {
  readonly #views = new Map<ImagePath, ShownView>()
  /** Those of which the folder has told. */
  readonly #told = new WeakSet<ShownView>()

  add(shown: ShownView): void {
    this.#views.set(shown.path, shown)
  }

  get(path: ImagePath): ShownView | undefined {
    return this.#views.get(path)
  }

  /** The row says it now, unless something newer is under way. */
  forget(shown: ShownView): void {
    if (this.#views.get(shown.path) === shown) this.#views.delete(shown.path)
  }

  /**
   * Whether what a folder tells of a name is no more than that a file was shown there just now:
   * once for each, since others may write there too.
   */
  isTelling(name: string): boolean {
    const shown = this.#views.get(name as ImagePath)
    if (shown?.row?.name !== name || this.#told.has(shown)) return false
    this.#told.add(shown)
    return true
  }
}
