// The asking side of a stream on which requests come one after the other: each is answered in its
// turn.

import type { ByteStream } from './byte-stream.ts'
import { FrameReader, frameOf } from './frame.ts'
import { STATUS, StatusError } from './status.ts'
import { WireError } from './wire-error.ts'

/** Calls that may wait for their turn. Who calls more often must bound its own queue. */
const CALLS_WAITING_MAX = 256

export interface Pace {
  /** Requests that may be on their way while the answer to an earlier one is read. */
  readonly outstandingMax: number
  /** Calls that may wait for their turn. */
  readonly waitingMax?: number
}

export class RequestStream {
  readonly #stream: ByteStream
  readonly #reader: FrameReader
  readonly #waitingMax: number
  #free: number
  readonly #waiting: (() => void)[] = []
  #sending: Promise<unknown> = Promise.resolve()
  #reading: Promise<unknown> = Promise.resolve()
  #failure: Error | undefined
  #asked = 0

  constructor(stream: ByteStream, { outstandingMax, waitingMax = CALLS_WAITING_MAX }: Pace) {
    this.#stream = stream
    this.#reader = new FrameReader(stream.source)
    this.#free = outstandingMax
    this.#waitingMax = waitingMax
  }

  /** Requests sent so far. */
  get asked(): number {
    return this.#asked
  }

  /**
   * Sends a request and has its answer read. Calls are sent and answered in their order. Whatever
   * goes wrong once a request is under way, an abort included, breaks the stream, since nobody
   * would know whose answer comes next: then this and all later calls throw the same. Throws
   * StatusError BUSY if too many calls wait here already.
   */
  async ask<T>(
    payload: Uint8Array,
    read: (reader: FrameReader) => Promise<T>,
    signal: AbortSignal
  ): Promise<T> {
    await this.#turn(signal)
    try {
      return await this.#round(payload, read, signal)
    } finally {
      this.#giveTurn()
    }
  }

  /**
   * Ends the own half once all calls are answered, and waits for the other side's end. Throws
   * WireError BAD_MESSAGE if it had more to say.
   */
  async end(signal: AbortSignal): Promise<void> {
    try {
      await unlessAborted(
        signal,
        this.#sending.then(() => this.#stream.end())
      )
      const more = this.#reading.then(() => this.#reader.frame(0))
      if ((await unlessAborted(signal, more)) !== undefined) {
        throw new WireError('BAD_MESSAGE', 'an answer to nothing')
      }
    } catch (error) {
      throw this.abort(error)
    }
  }

  /** Breaks the stream; calls under way throw. Returns the error that broke it first. */
  abort(error: unknown): Error {
    if (this.#failure === undefined) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      this.#stream.abort(this.#failure)
    }
    return this.#failure
  }

  async #round<T>(
    payload: Uint8Array,
    read: (reader: FrameReader) => Promise<T>,
    signal: AbortSignal
  ): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure
    signal.throwIfAborted() // nothing is sent yet: the stream stays as it is
    this.#asked++
    // no await before both are in line: the order of requests is the order of answers
    const sent = this.#sending.then(() => this.#stream.write(frameOf(payload)))
    const answered = this.#reading.then(() => read(this.#reader))
    this.#sending = sent
    this.#reading = answered
    try {
      const [answer] = await unlessAborted(signal, Promise.all([answered, sent]))
      return answer
    } catch (error) {
      throw this.abort(error)
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return
    }
    if (this.#waiting.length >= this.#waitingMax) {
      throw new StatusError(STATUS.BUSY, `${this.#waitingMax} requests wait for this peer already`)
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    try {
      await unlessAborted(signal, promise)
    } catch (error) {
      const at = this.#waiting.indexOf(resolve)
      if (at >= 0) this.#waiting.splice(at, 1)
      else this.#giveTurn() // it was given at the same moment
      throw error
    }
  }

  #giveTurn(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}

/** Throws the signal's reason as soon as it is aborted. The work itself is not stopped by that. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
