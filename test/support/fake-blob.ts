// An open blob in memory that counts what is taken from it, and breaks where a test wants it to.

import type { OpenBlob } from '../../src/store/blob-store.ts'

export const PIECE_BYTES = 256 * 1024

export interface FakeBlobOptions {
  /** What the blob says of itself; the bytes that come may be fewer or more. */
  readonly bytes?: number
  /** Reading throws this instead of the piece that begins at or after `failAt`. */
  readonly error?: Error
  readonly failAt?: number
  /** Awaited before each piece and before the end. */
  readonly pause?: () => Promise<void>
}

export class FakeBlob implements OpenBlob {
  readonly stamp = { ino: 1, size: 0, mtimeMs: 0, ctimeMs: 0 }
  readonly bytes: number
  readonly #content: Uint8Array
  readonly #options: FakeBlobOptions
  pulledBytes = 0
  closes = 0
  /** Iterations begun and not yet ended. */
  reading = 0

  constructor(content: Uint8Array, options: FakeBlobOptions = {}) {
    this.#content = content
    this.#options = options
    this.bytes = options.bytes ?? content.byteLength
  }

  readInto(target: Uint8Array, at = 0): void {
    if (this.#options.error) throw this.#options.error
    this.pulledBytes += this.#content.byteLength
    target.set(this.#content.subarray(at, at + target.byteLength))
  }

  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    const { error, failAt = 0, pause } = this.#options
    this.reading++
    try {
      for (let at = start; at < Math.min(end, this.#content.byteLength); at += PIECE_BYTES) {
        await pause?.()
        if (error && at >= failAt) throw error
        const piece = this.#content.subarray(at, Math.min(at + PIECE_BYTES, end))
        this.pulledBytes += piece.byteLength
        yield piece
      }
      await pause?.()
    } finally {
      this.reading--
    }
  }

  close(): void {
    this.closes++
  }
}
