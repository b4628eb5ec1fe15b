// A pair of connected streams in memory. Bytes travel in pieces of random size, in order, after a
// delay, through a buffer of bounded size. All time and chance come from outside.

import type { ByteStream } from '../../protocols/byte-stream.ts'
import type { Random } from '../base/clock.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import type { StreamMeter } from './stream-adapter.ts'

/** How things get from one side of a connection to the other. */
export interface Travel {
  readonly random: Random
  /** Runs the task at the other side when it has arrived, after all that was sent before it. */
  send(task: () => void): void
  /** What may be on its way and unread in one direction of a stream. */
  readonly bufferBytes: number
}

export interface MemoryPair {
  /** Of the side that opened it, and of the side that serves it. */
  readonly sides: readonly [ByteStream, ByteStream]
  /** Breaks it for one side only, as a connection does that is lost. */
  break(side: Side, error: Error): void
}

export type Side = 0 | 1

/** `travels` from either side to the other. `onClose` is called for each side, once. */
export function memoryPair(
  travels: readonly [Travel, Travel],
  meters: readonly [StreamMeter, StreamMeter],
  onClose: (side: Side) => void
): MemoryPair {
  const left = [new Set(['out', 'in']), new Set(['out', 'in'])] as const
  const done = (side: Side, way: string) => () => {
    if (left[side].delete(way) && left[side].size === 0) onClose(side)
  }
  const broken = [new AbortController(), new AbortController()] as const
  const there = new Pipe(travels[0], done(0, 'out'), done(1, 'in'))
  const back = new Pipe(travels[1], done(1, 'out'), done(0, 'in'))
  const breakSide = (side: Side, error: Error) => {
    const [out, into] = side === 0 ? [there, back] : [back, there]
    out.breakWriter(error)
    into.breakReader(error)
    broken[side].abort(error)
  }
  const abort = (side: Side) => (error: Error) => {
    if (left[side].size === 0) return
    breakSide(side, error)
    const reset = new Error('the stream broke: the other side aborted it')
    travels[side].send(() => breakSide(side === 0 ? 1 : 0, reset))
  }
  return {
    sides: [
      new MemoryStream(there, back, meters[0], abort(0), broken[0].signal),
      new MemoryStream(back, there, meters[1], abort(1), broken[1].signal)
    ],
    break: breakSide
  }
}

class MemoryStream implements ByteStream {
  readonly source: AsyncIterable<Uint8Array>
  readonly abort: (error: Error) => void
  readonly broken: AbortSignal
  readonly #out: Pipe
  readonly #meter: StreamMeter
  readonly #writing = new KeyedLock<'write'>()

  constructor(
    out: Pipe,
    into: Pipe,
    meter: StreamMeter,
    abort: (error: Error) => void,
    broken: AbortSignal
  ) {
    this.#out = out
    this.#meter = meter
    this.abort = abort
    this.broken = broken
    this.source = { [Symbol.asyncIterator]: () => into.read(meter, abort) }
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writing.run('write', async () => {
      await this.#out.write(bytes)
      this.#meter.sent(bytes.byteLength, false)
    })
  }

  end(): Promise<void> {
    return this.#writing.run('write', async () => this.#out.end())
  }
}

/** One direction. */
class Pipe {
  readonly #travel: Travel
  readonly #onWritten: () => void
  readonly #onRead: () => void
  readonly #arrived: Uint8Array[] = []
  /** Bytes on their way or unread, at most `bufferBytes`. */
  #held = 0
  #ended = false
  /** The end has arrived, after all bytes. */
  #delivered = false
  #writeFault: Error | undefined
  #readFault: Error | undefined
  #wakeWriter = () => {}
  #wakeReader = () => {}

  constructor(travel: Travel, onWritten: () => void, onRead: () => void) {
    this.#travel = travel
    this.#onWritten = onWritten
    this.#onRead = onRead
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#ended) throw new Error('the stream has been ended: nothing more can be written')
    for (let at = 0; at < bytes.byteLength; ) {
      if (this.#writeFault !== undefined) throw this.#writeFault
      const wanted = Math.min(bytes.byteLength - at, Math.ceil(this.#travel.bufferBytes / 2))
      // with any smaller room pieces would become ever smaller
      if (this.#travel.bufferBytes - this.#held < wanted) {
        await new Promise<void>((resolve) => {
          this.#wakeWriter = resolve
        })
        continue
      }
      const piece = bytes.subarray(at, at + pieceOf(wanted, this.#travel.random))
      this.#held += piece.byteLength
      this.#travel.send(() => this.#deliver(piece))
      at += piece.byteLength
    }
    if (this.#writeFault !== undefined) throw this.#writeFault
  }

  end(): void {
    if (this.#ended) return
    if (this.#writeFault !== undefined) throw this.#writeFault
    this.#ended = true
    this.#onWritten()
    this.#travel.send(() => {
      if (this.#readFault !== undefined) return
      this.#delivered = true
      this.#onRead()
      this.#wakeReader()
    })
  }

  async *read(meter: StreamMeter, abort: (error: Error) => void): AsyncGenerator<Uint8Array> {
    let complete = false
    try {
      for (;;) {
        const piece = this.#arrived.shift()
        if (piece !== undefined) {
          meter.received(piece.byteLength)
          yield piece
          this.#held -= piece.byteLength
          this.#wakeWriter()
        } else if (this.#readFault !== undefined) {
          throw this.#readFault
        } else if (this.#delivered) {
          complete = true
          return
        } else {
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve
          })
        }
      }
    } finally {
      if (!complete && this.#readFault === undefined) abort(new Error('the reader left early'))
    }
  }

  breakWriter(error: Error): void {
    if (this.#ended) return
    this.#writeFault ??= error
    this.#wakeWriter()
    this.#onWritten()
  }

  /** What has arrived can still be read; what is on its way is lost. */
  breakReader(error: Error): void {
    if (this.#delivered) return
    this.#readFault ??= error
    this.#wakeReader()
    this.#onRead()
  }

  #deliver(piece: Uint8Array): void {
    if (this.#readFault !== undefined) return
    this.#arrived.push(piece)
    this.#wakeReader()
  }
}

/** Often all that is there, else any part of it: both are what real streams do. */
function pieceOf(bytes: number, random: Random): number {
  return random.fraction() < 0.5 ? bytes : 1 + Math.floor(random.fraction() * bytes)
}
