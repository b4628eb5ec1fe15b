// What a virus scanner has seen of a blob that is not kept here: it is sent again for the reader,
// and he gets no bytes that are others than those.

import { hash as digest } from 'node:crypto'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { ReadableBlob } from './parts.ts'

/** What is compared at a time. */
const CHUNK_BYTES = 64 * 1024

type Pieces = AsyncIterable<Uint8Array>

export class SeenBytes {
  readonly #digests: string[] = []
  #bytes = 0

  /** The pieces of all of a blob, which are noted as they are read. */
  async *note(pieces: Pieces): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunksOf(pieces)) {
      this.#digests.push(digest('sha256', chunk))
      this.#bytes += chunk.byteLength
      yield chunk
    }
  }

  /** The same blob, of which reads throw NOT_AVAILABLE before bytes that were not seen. */
  only(blob: ReadableBlob): ReadableBlob {
    const { bytes } = blob
    // what a scanner that gives no answer has not read is taken all the same
    if (this.#bytes !== bytes) return blob
    return {
      bytes,
      read: (start, end) => this.#read(blob, start, end),
      close: () => blob.close()
    }
  }

  async *#read(blob: ReadableBlob, start: number, end: number): AsyncGenerator<Uint8Array> {
    let index = Math.floor(start / CHUNK_BYTES)
    let at = index * CHUNK_BYTES
    const upTo = Math.min(Math.ceil(end / CHUNK_BYTES) * CHUNK_BYTES, blob.bytes)
    for await (const chunk of chunksOf(blob.read(at, upTo))) {
      if (digest('sha256', chunk) !== this.#digests[index++]) {
        const sentence =
          'A server sent other bytes of this image than before. Ask again in a moment.'
        throw new NodeError('NOT_AVAILABLE', sentence, saidAs('image_other_bytes'))
      }
      const wanted = chunk.subarray(Math.max(0, start - at), end - at)
      at += chunk.byteLength
      yield wanted
    }
  }
}

/** The same bytes, CHUNK_BYTES at a time. */
async function* chunksOf(pieces: Pieces): AsyncGenerator<Uint8Array> {
  let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let filled = 0
  for await (const piece of pieces) {
    for (let at = 0; at < piece.byteLength; ) {
      const part = piece.subarray(at, at + CHUNK_BYTES - filled)
      chunk.set(part, filled)
      at += part.byteLength
      filled += part.byteLength
      if (filled < CHUNK_BYTES) continue
      yield chunk
      chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      filled = 0
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled)
}
