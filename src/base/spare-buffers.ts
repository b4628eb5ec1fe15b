// Buffers that are used again: each new one is memory that the engine must look after, and that C
// gives back late and in pieces.

/** Smaller ones are no larger to the system. */
const BYTES_MIN = 16 * 1024

export interface SpareBuffersOptions {
  /** Of one buffer; larger ones are made and forgotten. */
  readonly bytesMax: number
  /** Of all that are kept while nobody needs them. */
  readonly keptBytesMax: number
}

export class SpareBuffers {
  readonly #options: SpareBuffersOptions
  /** By their size, which is a power of two. */
  readonly #free = new Map<number, Buffer[]>()
  #keptBytes = 0

  constructor(options: SpareBuffersOptions) {
    this.#options = options
  }

  /** At least so large; what is in it is from before. */
  take(bytes: number): Buffer {
    const size = sizeFor(bytes)
    const buffer = this.#free.get(size)?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size)
    this.#keptBytes -= size
    return buffer
  }

  /** Nobody may use it any more. */
  give(buffer: Buffer): void {
    const size = buffer.byteLength
    const { bytesMax, keptBytesMax } = this.#options
    if (size > bytesMax || this.#keptBytes + size > keptBytesMax) return
    this.#keptBytes += size
    const free = this.#free.get(size)
    if (free === undefined) this.#free.set(size, [buffer])
    else free.push(buffer)
  }
}

function sizeFor(bytes: number): number {
  let size = BYTES_MIN
  while (size < bytes) size *= 2
  return size
}
