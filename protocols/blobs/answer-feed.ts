// Reads the answers to requests for blobs from bytes as they are handed in, and never waits: for
// who does nothing but take blobs in. BlobsClient reads the same answers from a stream.

import { badMessage, checkNumber, failureOf, parseMessage } from '../message.ts'
import { STATUS, type StatusError } from '../status.ts'
import { WireError } from '../wire-error.ts'
import { BLOBS_LIMITS } from './limits.ts'
import { ResponseSchema } from './messages_pb.ts'
import { BLOCK_BYTES, unpackBlock } from './packing.ts'
import { isPacked, type Unpacking } from './request.ts'

/** Hears of answers in the order of what was asked. */
export interface AnswerSink {
  /** The answer to the next item: OK, and the number of bytes that follow, or why none do. */
  begin(status: number, length: number): void
  /** Some of them. They are overwritten once it returns. */
  bytes(piece: Uint8Array): void
  /** All of them have come. */
  end(): void
  /** The answer to the next request as a whole. */
  refused(failure: StatusError): void
}

const LENGTH_DIGITS_MAX = 5
const DIGIT_BITS = 7
const DIGIT = 0x7f
const MORE = 0x80

export class AnswerFeed {
  readonly #sink: AnswerSink
  readonly #unpacking: Unpacking
  /** A frame of which not all has come. */
  readonly #frame = new Uint8Array(BLOBS_LIMITS.answerBytesMax)
  #filled = 0
  /** A block of a packed body; none before the first. */
  #block: Uint8Array | undefined
  /** Bytes of a packed body that are still to come, before they were packed. */
  #packedLeft = 0
  /** Of the frame; undefined while its length is not known. */
  #length: number | undefined
  #digits = 0
  #prefix = 0
  /** Bytes of the body that are still to come. */
  #left = 0

  constructor(sink: AnswerSink, unpacking: Unpacking) {
    this.#sink = sink
    this.#unpacking = unpacking
  }

  /** Throws WireError, and what the sink throws; then nothing more can be read. */
  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      if (this.#left > 0) {
        const piece = bytes.subarray(at, at + this.#left)
        at += piece.byteLength
        this.#left -= piece.byteLength
        this.#sink.bytes(piece)
        if (this.#left === 0) this.#sink.end()
      } else if (this.#length === undefined) this.#digit(bytes[at++] as number)
      else at += this.#fill(bytes.subarray(at, at + this.#length - this.#filled))
    }
  }

  #digit(byte: number): void {
    this.#prefix += (byte & DIGIT) * 2 ** (this.#digits++ * DIGIT_BITS)
    const isLast = (byte & MORE) === 0
    const isWrong = isLast ? byte === 0 && this.#digits > 1 : this.#digits === LENGTH_DIGITS_MAX
    if (isWrong) throw badMessage('what should be the length of a frame is not a varint')
    if (!isLast) return
    if (this.#prefix > this.#frameBytesMax) {
      throw new WireError('TOO_LARGE', `an answer of ${this.#prefix} bytes`)
    }
    this.#length = this.#prefix
    this.#digits = this.#prefix = 0
    if (this.#length === 0) this.#fill(this.#frame.subarray(0, 0))
  }

  get #frameBytesMax(): number {
    return this.#packedLeft > 0 ? this.#blockBytes : this.#frame.byteLength
  }

  get #blockBytes(): number {
    return Math.min(BLOCK_BYTES, this.#packedLeft)
  }

  #fill(part: Uint8Array): number {
    const isPacked = this.#packedLeft > 0
    if (isPacked) this.#block ??= new Uint8Array(BLOCK_BYTES)
    const frame = isPacked && this.#block !== undefined ? this.#block : this.#frame
    frame.set(part, this.#filled)
    this.#filled += part.byteLength
    if (this.#filled === this.#length) {
      const payload = frame.subarray(0, this.#filled)
      this.#length = undefined
      this.#filled = 0
      if (isPacked) this.#unpack(payload)
      else this.#answer(payload)
    }
    return part.byteLength
  }

  #unpack(payload: Uint8Array): void {
    const bytes = this.#blockBytes
    const block = unpackBlock(payload, bytes)
    this.#unpacking.onSaved?.(bytes - payload.byteLength)
    this.#packedLeft -= bytes
    this.#sink.bytes(block)
    if (this.#packedLeft === 0) this.#sink.end()
  }

  #answer(payload: Uint8Array): void {
    const response = parseMessage(ResponseSchema, payload)
    const failure = failureOf(response)
    if (response.whole) {
      if (failure === undefined) throw badMessage('a refusal that refuses nothing')
      this.#sink.refused(failure)
      return
    }
    const length = checkNumber('a length', response.length)
    if (failure !== undefined && length > 0) throw badMessage('bytes of a blob that is not given')
    const packed = isPacked(response, this.#unpacking)
    this.#sink.begin(failure?.status ?? STATUS.OK, length)
    if (packed) this.#packedLeft = length
    else this.#left = length
    if (length === 0) this.#sink.end()
  }
}
