// Frames: the length of a payload as an unsigned varint, then the payload. A protocol may let raw
// bytes of a length that a frame has told follow it: a body.

import { WireError } from './wire-error.ts'

/** Lengths up to 2^32; a varint that goes on is no length. */
const LENGTH_DIGITS_MAX = 5
const DIGIT_BITS = 7
const DIGIT = 0x7f
const MORE = 0x80

const NOTHING = new Uint8Array(0)

/** What comes before a payload of so many bytes. */
export function framePrefix(length: number): Uint8Array {
  const prefix: number[] = []
  let left = length
  for (; left > DIGIT; left = Math.floor(left / 2 ** DIGIT_BITS)) prefix.push((left & DIGIT) | MORE)
  prefix.push(left)
  return Uint8Array.from(prefix)
}

/** A frame, ready to be written. */
export function frameOf(payload: Uint8Array): Uint8Array {
  const prefix = framePrefix(payload.byteLength)
  const frame = new Uint8Array(prefix.length + payload.byteLength)
  frame.set(prefix)
  frame.set(payload, prefix.length)
  return frame
}

/**
 * Reads frames and bodies from pieces of any size. Holds one piece, and one frame of at most the
 * size that its reader allows. For one reader at a time. What the source throws comes through.
 */
export class FrameReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  /** What is left of the piece that came last. */
  #piece: Uint8Array = NOTHING
  #filling: Promise<boolean> | undefined
  /** Bytes of the last body that nobody has read yet. */
  #owed = 0
  /** Counts bodies, so that the reader of an older one gets nothing of a later. */
  #bodies = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]()
  }

  /**
   * The payload of the next frame; undefined if the source has ended before it. Skips what is left
   * of a body. Throws WireError TRUNCATED, TOO_LARGE (before it reads the payload) or BAD_MESSAGE;
   * then nothing more can be read. `onPart` hears each time that more of the payload has come.
   */
  async frame(bytesMax: number, onPart = () => {}): Promise<Uint8Array | undefined> {
    await this.skip()
    const length = await this.#length()
    if (length === undefined) return undefined
    if (length > bytesMax) {
      throw new WireError('TOO_LARGE', `a frame of ${length} bytes, where ${bytesMax} are the most`)
    }
    const payload = new Uint8Array(length)
    for (let filled = 0; filled < length; ) {
      if (!(await this.#ready()))
        throw truncated(`a frame ended after ${filled} of ${length} bytes`)
      const part = this.#cut(length - filled)
      payload.set(part, filled)
      filled += part.byteLength
      onPart()
    }
    return payload
  }

  /** The same where the source must not end: WireError TRUNCATED if it does. */
  async nextFrame(bytesMax: number, onPart?: () => void): Promise<Uint8Array> {
    const payload = await this.frame(bytesMax, onPart)
    if (payload === undefined) throw truncated('no answer came')
    return payload
  }

  /**
   * The next `count` bytes, in the pieces in which they come. Throws WireError TRUNCATED where they
   * end too early. What is not read is skipped before the next frame.
   */
  bytes(count: number): AsyncGenerator<Uint8Array> {
    if (this.#owed > 0)
      throw new Error('a body begins before the last one has been read or skipped')
    this.#owed = count
    return this.#body(++this.#bodies)
  }

  /**
   * What nobody has read of the last body, in one piece, and as it came where that was one. Holds
   * all of it: for short ones. `onPiece` hears of the bytes of each that comes. Throws WireError
   * TRUNCATED.
   */
  async rest(onPiece: (bytes: number) => void = () => {}): Promise<Uint8Array> {
    const number = ++this.#bodies
    let whole = NOTHING
    for (let filled = 0; this.#owed > 0; ) {
      const piece = await this.#bodyPiece(number)
      if (piece === undefined) throw new Error('a body has two readers')
      onPiece(piece.byteLength)
      if (filled === 0 && this.#owed === 0) return piece
      if (filled === 0) whole = Buffer.allocUnsafeSlow(piece.byteLength + this.#owed)
      whole.set(piece, filled)
      filled += piece.byteLength
    }
    return whole
  }

  /** Reads what is left of the last body. Throws WireError TRUNCATED. */
  async skip(): Promise<void> {
    this.#bodies++
    while (this.#owed > 0) await this.#bodyPiece()
  }

  async *#body(number: number): AsyncGenerator<Uint8Array> {
    while (number === this.#bodies && this.#owed > 0) {
      const piece = await this.#bodyPiece(number)
      if (piece !== undefined) yield piece
    }
  }

  async #bodyPiece(number = this.#bodies): Promise<Uint8Array | undefined> {
    if (!(await this.#ready())) throw truncated(`a body ended ${this.#owed} bytes too early`)
    if (number !== this.#bodies) return undefined
    const piece = this.#cut(this.#owed)
    this.#owed -= piece.byteLength
    return piece
  }

  async #length(): Promise<number | undefined> {
    let length = 0
    for (let digits = 0; digits < LENGTH_DIGITS_MAX; digits++) {
      if (!(await this.#ready())) {
        if (digits === 0) return undefined
        throw truncated('the length of a frame ended too early')
      }
      const byte = this.#cut(1)[0] as number
      length += (byte & DIGIT) * 2 ** (digits * DIGIT_BITS)
      if ((byte & MORE) !== 0) continue
      if (byte === 0 && digits > 0) break // the same length has a shorter form
      return length
    }
    throw new WireError('BAD_MESSAGE', 'what should be the length of a frame is not a varint')
  }

  /** Up to `count` bytes of the current piece. */
  #cut(count: number): Uint8Array {
    const part = this.#piece.subarray(0, count)
    this.#piece = this.#piece.subarray(part.byteLength)
    return part
  }

  /** Whether there is a byte to cut; false at the end of the source. */
  async #ready(): Promise<boolean> {
    while (this.#piece.byteLength === 0) {
      this.#filling ??= this.#fill()
      if (!(await this.#filling)) return false
    }
    return true
  }

  async #fill(): Promise<boolean> {
    try {
      const next = await this.#pieces.next()
      this.#piece = next.done ? NOTHING : next.value
      return !next.done
    } finally {
      this.#filling = undefined
    }
  }
}

function truncated(what: string): WireError {
  return new WireError('TRUNCATED', `the other side stopped in the middle: ${what}`)
}
