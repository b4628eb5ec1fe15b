// Puts small pieces together before they are written: a hundred small blobs need not be a hundred
// packets.

import type { ByteStream } from '../byte-stream.ts'
import { GATHERED_BYTES_MAX, WRITE_BYTES } from './limits.ts'

type Written = Pick<ByteStream, 'write' | 'takesCopies' | 'broken'>

export class SmallWrites {
  readonly #stream: Written
  #buffer = Buffer.alloc(0)
  #filled = 0

  constructor(stream: Written) {
    this.#stream = stream
  }

  /** Whether what `room` gives is the same place again and again. */
  get usesBuffersAgain(): boolean {
    return this.#stream.takesCopies ?? false
  }

  get broken(): AbortSignal | undefined {
    return this.#stream.broken
  }

  /** Keeps the piece for a while, or writes it with all before it. */
  async write(piece: Uint8Array): Promise<void> {
    if (piece.byteLength >= WRITE_BYTES) {
      await this.flush()
      return this.#stream.write(piece)
    }
    const room = await this.room(piece.byteLength)
    room.set(piece)
    if (this.#filled >= WRITE_BYTES) await this.flush()
  }

  /**
   * A place for the next bytes, at most GATHERED_BYTES_MAX, which must be filled at once. They are
   * kept for a while.
   */
  async room(bytes: number): Promise<Uint8Array> {
    if (this.#filled + bytes > this.#buffer.byteLength) {
      await this.flush()
      if (bytes > this.#buffer.byteLength) this.#buffer = this.#makeBuffer(bytes)
    }
    this.#filled += bytes
    return this.#buffer.subarray(this.#filled - bytes, this.#filled)
  }

  /** Writes what is kept, if it is so much. */
  async flush(bytesMin = 1): Promise<void> {
    if (this.#filled < bytesMin) return
    const gathered = this.#buffer.subarray(0, this.#filled)
    this.#filled = 0
    if (!this.#stream.takesCopies) this.#buffer = Buffer.alloc(0)
    await this.#stream.write(gathered)
  }

  #makeBuffer(bytes: number): Buffer<ArrayBuffer> {
    const size = this.#stream.takesCopies ? GATHERED_BYTES_MAX : Math.max(bytes, WRITE_BYTES)
    return Buffer.allocUnsafeSlow(size)
  }
}
