// Small images that were asked for as soon as they were told of. Who reads one meanwhile waits for
// its bytes, and does not have them sent once more.

import type { ContentHash } from '../../protocols/hash.ts'

export interface ComingBlob {
  /** Who was asked for it. */
  readonly peerId: string
  /** Its bytes as soon as they are known to be right; undefined if they do not come this way. */
  readonly whole: Promise<Uint8Array | undefined>
  /** Whether it is kept, once that is known. */
  readonly kept: Promise<boolean>
}

interface Coming {
  readonly peerId: string
  readonly whole: PromiseWithResolvers<Uint8Array | undefined>
  readonly kept: PromiseWithResolvers<boolean>
}

export class ComingBlobs {
  readonly #blobs = new Map<ContentHash, Coming>()

  begin(hash: ContentHash, peerId: string): void {
    const [whole, kept] = [
      Promise.withResolvers<Uint8Array | undefined>(),
      Promise.withResolvers<boolean>()
    ]
    this.#blobs.set(hash, { peerId, whole, kept })
  }

  /** Undefined if it was not asked for. */
  join(hash: ContentHash): ComingBlob | undefined {
    const coming = this.#blobs.get(hash)
    if (coming === undefined) return undefined
    const { peerId, whole, kept } = coming
    return { peerId, whole: whole.promise, kept: kept.promise }
  }

  /** All of it is here. */
  came(hash: ContentHash, whole: Uint8Array): void {
    this.#blobs.get(hash)?.whole.resolve(whole)
  }

  /** It is kept, or will not be. May be called more than once. */
  end(hash: ContentHash, kept: boolean): void {
    const coming = this.#blobs.get(hash)
    this.#blobs.delete(hash)
    coming?.whole.resolve(undefined) // unless it came
    coming?.kept.resolve(kept)
  }
}
