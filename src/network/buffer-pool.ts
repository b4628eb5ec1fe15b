// Buffers that are used again: each new one counts as memory that V8 must look after, and many of
// them make it collect garbage all the time.

const BYTES = 256 * 1024
/** What is kept while nobody needs it. */
const KEPT_MAX = 8

export class BufferPool {
  readonly #free: Buffer[] = []

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BYTES)
  }

  /** Nobody may use it any more. */
  give(buffer: Buffer): void {
    if (this.#free.length < KEPT_MAX) this.#free.push(buffer)
  }
}
