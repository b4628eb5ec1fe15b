// Puts small pieces together before they are written: a hundred small blobs need not be a hundred
// packets.

import type { Write } from '../serve-requests.ts'
import { WRITE_BYTES } from './limits.ts'

export class SmallWrites {
  readonly #write: Write
  #pieces: Uint8Array[] = []
  #bytes = 0

  constructor(write: Write) {
    this.#write = write
  }

  /** Keeps the piece for a while, or writes it with all before it. */
  async write(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece)
    this.#bytes += piece.byteLength
    if (this.#bytes >= WRITE_BYTES) await this.flush()
  }

  async flush(): Promise<void> {
    const [first, ...others] = this.#pieces
    this.#pieces = []
    this.#bytes = 0
    if (first === undefined) return
    await this.#write(others.length === 0 ? first : Buffer.concat([first, ...others]))
  }
}
