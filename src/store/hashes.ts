// SHA-256 and MD5 of the same bytes in one pass.

import { createHash, hash } from 'node:crypto'
import { type ContentHash, type Md5, parseHash, parseMd5 } from '../../protocols/hash.ts'

export interface Hashes {
  readonly hash: ContentHash
  readonly md5: Md5
}

/** Of bytes that are all there: three times as fast as a stream for small ones. */
export function sha256Of(bytes: Uint8Array): ContentHash {
  return parseHash(hash('sha256', bytes, 'hex'))
}

export function md5Of(bytes: Uint8Array): Md5 {
  return parseMd5(hash('md5', bytes, 'hex'))
}

export function hashesOf(bytes: Uint8Array): Hashes {
  return { hash: sha256Of(bytes), md5: md5Of(bytes) }
}

/** SHA-256 alone, three times as fast. */
export class Sha256Stream {
  readonly #sha256 = createHash('sha256')

  update(bytes: Uint8Array): void {
    this.#sha256.update(bytes)
  }

  /** Once, at the end. */
  digest(): { readonly hash: ContentHash; readonly md5: undefined } {
    return { hash: parseHash(this.#sha256.digest('hex')), md5: undefined }
  }
}

export class HashStream {
  readonly #sha256 = createHash('sha256')
  readonly #md5 = createHash('md5')

  update(bytes: Uint8Array): void {
    this.#sha256.update(bytes)
    this.#md5.update(bytes)
  }

  /** Once, at the end. */
  digest(): Hashes {
    return { hash: parseHash(this.#sha256.digest('hex')), md5: parseMd5(this.#md5.digest('hex')) }
  }
}
