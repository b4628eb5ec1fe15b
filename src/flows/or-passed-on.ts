// A reader of a blob that comes here goes on to its end when this node's own disk fails amid it:
// the rest is passed on from a holder, once it is known to begin with what the reader has.

import { createHash } from 'node:crypto'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { isOwnFault } from './keep-replica.ts'
import type { ReadableBlob } from './parts.ts'

/** `passOn` opens the blob at a holder; undefined if none sends it. */
export function orPassedOn(
  coming: ReadableBlob,
  passOn: () => Promise<{ readonly blob: ReadableBlob } | undefined>
): ReadableBlob {
  const passed: ReadableBlob[] = []
  let isOpen = true
  return {
    bytes: coming.bytes,
    async *read(start, end) {
      const sent = createHash('sha256')
      let sentBytes = 0
      let fault: unknown
      try {
        for await (const piece of coming.read(start, end)) {
          sent.update(piece)
          sentBytes += piece.byteLength
          yield piece
        }
        return
      } catch (error) {
        if (!isOwnFault(error) && !isOwnFault((error as Error).cause)) throw error
        fault = error
      }
      const other = isOpen ? await passOn() : undefined
      if (other === undefined) throw fault
      passed.push(other.blob)
      if (!isOpen) other.blob.close()
      yield* after(other.blob.read(start, end), sentBytes, sent.digest('hex'))
    },
    close() {
      isOpen = false
      coming.close()
      for (const blob of passed) blob.close()
    }
  }
}

/** What follows so many bytes that have this hash. */
async function* after(
  pieces: AsyncIterable<Uint8Array>,
  bytes: number,
  hash: string
): AsyncGenerator<Uint8Array> {
  const seen = createHash('sha256')
  let left = bytes
  for await (const piece of pieces) {
    const known = piece.subarray(0, left)
    const rest = piece.subarray(known.byteLength)
    if (left > 0) {
      seen.update(known)
      left -= known.byteLength
      if (left === 0 && seen.digest('hex') !== hash) {
        const sentence = 'The beginning of this image was sent with other bytes. Ask for it again.'
        throw new NodeError('NOT_AVAILABLE', sentence, saidAs('image_other_bytes'))
      }
    }
    if (rest.byteLength > 0) yield rest
  }
}
