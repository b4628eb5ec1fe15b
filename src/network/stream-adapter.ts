// Makes a ByteStream of a libp2p stream. What libp2p offers for this has no back-pressure, loses
// wake-ups or aborts slow readers, so the events of the stream are used directly.

import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import { KeyedLock } from '../base/keyed-lock.ts'

/** What is sent at a time: about one encrypted frame. */
const PIECE_BYTES = 65_536
/** So much may wait here for a slow reader: a few pieces keep a fast one busy. */
const WAITING_BYTES_MAX = 4 * PIECE_BYTES

/** Is told of every byte as it passes. */
export interface StreamMeter {
  received(bytes: number): void
  /** `waited`: the other side had to take others first, so it is alive. */
  sent(bytes: number, waited: boolean): void
}

/**
 * Takes the stream over: nobody else may read or write it. Until its source is read, the other side
 * may fill one window and then waits. Concurrent writes go one after the other, whole.
 */
export function adaptStream(stream: Stream, meter: StreamMeter): ByteStream {
  return new StreamAdapter(stream, meter)
}

class StreamAdapter implements ByteStream {
  readonly source: AsyncIterable<Uint8Array>
  readonly #stream: Stream
  readonly #meter: StreamMeter
  readonly #writing = new KeyedLock<'write'>()
  readonly #chunks: StreamMessageEvent['data'][] = []
  /** The other side has said that it sends no more. A connection that is gone does not say it. */
  #remoteEnded: boolean
  #ended = false
  #fault: Error | undefined
  readonly #broken = new AbortController()
  #resuming = false
  #wake = () => {}
  #onFault = (_fault: Error) => {}

  constructor(stream: Stream, meter: StreamMeter) {
    this.#stream = stream
    this.#meter = meter
    this.#remoteEnded = stream.status === 'open' && stream.remoteWriteStatus !== 'writable'
    if (stream.status !== 'open') this.#break(faultOf(stream.status))
    stream.addEventListener('remoteCloseWrite', () => {
      this.#remoteEnded = true
      this.#wake()
    })
    stream.addEventListener('close', (event: StreamCloseEvent) => {
      const fault = event.error ?? (this.#remoteEnded ? undefined : faultOf('closed'))
      if (fault !== undefined) this.#break(fault)
      if (this.#fault !== undefined) this.#onFault(this.#fault)
      this.#wake()
    })
    // unread bytes of a stream that flows are kept without a limit that stops the sender
    this.#pause()
    this.source = { [Symbol.asyncIterator]: () => this.#read() }
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writing.run('write', () => this.#send(bytes))
  }

  end(): Promise<void> {
    return this.#writing.run('write', async () => {
      if (this.#ended) return
      if (this.#fault !== undefined) throw this.#fault
      this.#ended = true
      await this.#close()
    })
  }

  abort(error: Error): void {
    this.#break(error)
    this.#stream.abort(error)
  }

  get broken(): AbortSignal {
    return this.#broken.signal
  }

  #break(error: Error): void {
    this.#fault ??= error
    this.#broken.abort(this.#fault)
  }

  async #send(bytes: Uint8Array): Promise<void> {
    if (this.#ended) throw new Error('the stream has been ended: nothing more can be written')
    for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES)
      if (this.#fault !== undefined) throw this.#fault
      this.#stream.send(piece)
      // 'drain' comes for every stream of the connection, also for one whose own reader is slow
      const waited = this.#isFull()
      while (this.#isFull()) await drained(this.#stream)
      this.#meter.sent(piece.byteLength, waited)
    }
    if (this.#fault !== undefined) throw this.#fault
  }

  /** Ends the own half when all is sent. `close()` itself may never return if the stream breaks. */
  #close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onFault = reject
      this.#stream.close().then(resolve, reject)
    })
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    const onMessage = ({ data }: StreamMessageEvent) => {
      this.#chunks.push(data)
      if (!this.#resuming) this.#pause()
      this.#wake()
    }
    this.#stream.addEventListener('message', onMessage)
    let complete = false
    try {
      for (;;) {
        for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
          yield* this.#pieces(chunk)
        }
        if (this.#fault !== undefined) throw this.#fault
        if (this.#drained()) {
          complete = this.#remoteEnded
          if (!complete) throw faultOf('closed')
          return
        }
        await this.#more()
      }
    } finally {
      this.#stream.removeEventListener('message', onMessage)
      if (!complete) this.abort(this.#fault ?? new Error('the reader left before the end'))
    }
  }

  *#pieces(chunk: StreamMessageEvent['data']): Generator<Uint8Array> {
    for (const piece of chunk instanceof Uint8Array ? [chunk] : chunk) {
      this.#meter.received(piece.byteLength)
      yield piece
    }
  }

  /** Lets bytes come and resolves when there are some, or when the stream has changed. */
  async #more(): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    if (this.#stream.readStatus === 'paused') {
      // a pause() in the middle of resume() would be lost, so it is made up for afterwards
      this.#resuming = true
      try {
        this.#stream.resume()
      } catch {
        // the connection is gone, and what it had delivered has been handed out all the same
      } finally {
        this.#resuming = false
      }
      if (this.#chunks.length > 0) this.#pause()
    }
    if (this.#chunks.length === 0 && this.#fault === undefined && !this.#drained()) await woken
  }

  #isFull(): boolean {
    return this.#stream.writableNeedsDrain && this.#stream.writeBufferLength >= WAITING_BYTES_MAX
  }

  #pause(): void {
    if (this.#stream.readStatus === 'readable') this.#stream.pause()
  }

  #drained(): boolean {
    const { remoteWriteStatus, readBufferLength } = this.#stream
    return remoteWriteStatus !== 'writable' && readBufferLength === 0
  }
}

function faultOf(status: Stream['status']): Error {
  const what = status === 'closed' ? 'its connection closed before its end' : `it was ${status}`
  return new Error(`the stream broke: ${what}`)
}

/** Resolves at the next 'drain', when libp2p has sent what it could. Its `onDrain()` works once. */
function drained(stream: Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.writeStatus === 'closed') {
      reject(faultOf('closed'))
      return
    }
    const settle = (then: () => void) => () => {
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('close', onClose)
      then()
    }
    const onDrain = settle(resolve)
    const onClose = (event: StreamCloseEvent) =>
      settle(() => reject(event.error ?? faultOf('closed')))()
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('close', onClose)
  })
}
