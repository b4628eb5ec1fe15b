// Two ends of a stream in memory: a bounded buffer each way, pieces of random sizes, and a fault at
// any byte.

import type { ByteStream } from '../../protocols/byte-stream.ts'

export interface Fault {
  /** Counted over what the side has written. */
  readonly afterBytes: number
  readonly from: 'left' | 'right'
  /**
   * `break` is seen as an error. `end` looks like a proper end to both, as a lost connection may.
   */
  readonly how: 'break' | 'end'
}

export interface PairOptions {
  /** In [0, 1): sizes of pieces. Without it pieces come as they were written. */
  readonly random?: () => number
  readonly bufferBytes?: number
  readonly fault?: Fault
}

export interface StreamEnd extends ByteStream {
  /** All bytes that this side has written. */
  sent(): Buffer
  /** Bytes that lie in the buffer on their way from this side. */
  buffered(): number
  readonly aborted: Error | undefined
}

export class BrokenStream extends Error {}

const PIECE_BYTES_MAX = 3000

export function streamPair(options: PairOptions = {}): { left: StreamEnd; right: StreamEnd } {
  const toRight = new Pipe(options)
  const toLeft = new Pipe(options)
  const { fault } = options
  if (fault !== undefined) {
    const pipe = fault.from === 'left' ? toRight : toLeft
    pipe.cutAt(fault.afterBytes, () => {
      const error = fault.how === 'break' ? new BrokenStream('the connection is lost') : undefined
      toRight.close(error, error)
      toLeft.close(error, error)
    })
  }
  return { left: endOf(toLeft, toRight), right: endOf(toRight, toLeft) }
}

function endOf(inward: Pipe, outward: Pipe): StreamEnd {
  let aborted: Error | undefined
  const broken = new AbortController()
  outward.onBroken = (error) => broken.abort(error)
  const abort = (error: Error) => {
    aborted ??= error
    const broken = new BrokenStream('the other side has aborted')
    inward.close(error, broken)
    outward.close(broken, error)
  }
  return {
    source: inward.read(() => abort(new Error('the reader left early'))),
    write: (bytes) => outward.write(bytes),
    end: async () => outward.end(),
    abort,
    broken: broken.signal,
    sent: () => Buffer.concat(outward.written),
    buffered: () => outward.buffered,
    get aborted() {
      return aborted
    }
  }
}

class Pipe {
  readonly written: Uint8Array[] = []
  buffered = 0
  onBroken = (_error: Error) => {}
  readonly #random: (() => number) | undefined
  readonly #bufferBytes: number
  #pieces: Uint8Array[] = []
  #ended = false
  #closed = false
  #readError: Error | undefined
  #writeError: Error | undefined
  #changed = Promise.withResolvers<void>()
  #left = Number.POSITIVE_INFINITY
  #cut = () => {}

  constructor({ random, bufferBytes = 64 * 1024 }: PairOptions) {
    this.#random = random
    this.#bufferBytes = bufferBytes
  }

  cutAt(bytes: number, cut: () => void): void {
    this.#left = bytes
    this.#cut = cut
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes
    while (rest.byteLength > 0 || this.#closed) {
      if (this.#closed || this.#ended) this.#refuse()
      if (this.#left === 0) {
        this.#cut()
        continue
      }
      const room = Math.min(this.#bufferBytes - this.buffered, this.#left)
      if (room <= 0) {
        await this.#changed.promise
        continue
      }
      const piece = rest.subarray(0, Math.min(room, this.#pieceBytes()))
      rest = rest.subarray(piece.byteLength)
      this.#left -= piece.byteLength
      this.#pieces.push(piece)
      this.written.push(piece)
      this.buffered += piece.byteLength
      this.#change()
    }
  }

  end(): void {
    if (this.#closed) this.#refuse()
    if (this.#left === 0) this.#cut()
    this.#ended = true
    this.#change()
  }

  /** What its reader and its writer meet from now on; a reader without an error meets the end. */
  close(readError: Error | undefined, writeError: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#readError = readError
    this.#writeError = writeError
    if (readError !== undefined) this.#pieces = []
    if (writeError !== undefined) this.onBroken(writeError)
    this.#change()
  }

  async *read(onLeave: () => void): AsyncGenerator<Uint8Array> {
    let done = false
    try {
      for (;;) {
        const piece = this.#pieces.shift()
        if (piece !== undefined) {
          this.buffered -= piece.byteLength
          this.#change()
          yield piece
        } else if (this.#closed || this.#ended) {
          done = true
          if (this.#readError !== undefined) throw this.#readError
          return
        } else {
          await this.#changed.promise
        }
      }
    } finally {
      if (!done) onLeave()
    }
  }

  #refuse(): never {
    throw this.#writeError ?? new BrokenStream('the stream is closed')
  }

  #pieceBytes(): number {
    if (this.#random === undefined) return Number.POSITIVE_INFINITY
    return 1 + Math.floor(this.#random() ** 3 * PIECE_BYTES_MAX)
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
