// Lets the bytes of a blob through, but for the end of them, before their hash is known to be
// right.

import { createHash, type Hash } from 'node:crypto'
import { type ContentHash, hashFromBytes } from '../hash.ts'
import { WireError } from '../wire-error.ts'

/**
 * The pieces of `body`, of which the last is held back until all `length` bytes have the hash. For
 * a blob that is resumed, `digest` has the bytes before the body, and `length` is that of the body.
 * Throws WireError BAD_HASH, TRUNCATED or TOO_LARGE, and what the body throws.
 */
export async function* verified(
  body: AsyncIterable<Uint8Array>,
  hash: ContentHash,
  length: number,
  digest: Hash = createHash('sha256')
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  let last: Uint8Array | undefined
  for await (const piece of body) {
    if (piece.byteLength === 0) continue
    bytes += piece.byteLength
    if (bytes > length) {
      throw new WireError('TOO_LARGE', `the blob ${hash} has more than its ${length} bytes`)
    }
    digest.update(piece)
    if (last !== undefined) yield last
    last = piece
  }
  if (bytes < length) {
    throw new WireError('TRUNCATED', `the blob ${hash} ended after ${bytes} of ${length} bytes`)
  }
  if (hashFromBytes(digest.digest()) !== hash) {
    throw new WireError('BAD_HASH', `the bytes that came for the blob ${hash} are others`)
  }
  if (last !== undefined) yield last
}
