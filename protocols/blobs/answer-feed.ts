// Reads the answers to requests for blobs from bytes as they are handed in, and never waits: for
// who does nothing but take blobs in. BlobsClient reads the same answers from a stream.

import { badMessage, checkNumber, failureOf, parseMessage } from '../message.ts'
import { STATUS, type StatusError } from '../status.ts'
import { WireError } from '../wire-error.ts'
import { BLOBS_LIMITS } from './limits.ts'
import { ResponseSchema } from './messages_pb.ts'

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
  /** A frame of which not all has come. */
  readonly #frame = new Uint8Array(BLOBS_LIMITS.answerBytesMax)
  #filled = 0
  /** Of the frame; undefined while its length is not known. */
  #length: number | undefined
  #digits = 0
  #prefix = 0
  /** Bytes of the body that are still to come. */
  #left = 0

  constructor(sink: AnswerSink) {
    this.#sink = sink
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
    if (this.#prefix > this.#frame.byteLength) {
      throw new WireError('TOO_LARGE', `an answer of ${this.#prefix} bytes`)
    }
    this.#length = this.#prefix
    this.#digits = this.#prefix = 0
    if (this.#length === 0) this.#fill(this.#frame.subarray(0, 0))
  }

  #fill(part: Uint8Array): number {
    this.#frame.set(part, this.#filled)
    this.#filled += part.byteLength
    if (this.#filled === this.#length) {
      const payload = this.#frame.subarray(0, this.#filled)
      this.#length = undefined
      this.#filled = 0
      this.#answer(payload)
    }
    return part.byteLength
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
    this.#sink.begin(failure?.status ?? STATUS.OK, length)
    this.#left = length
    if (length === 0) this.#sink.end()
  }
}
