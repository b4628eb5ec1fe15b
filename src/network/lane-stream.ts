// A lane as a byte stream: what comes is put together into large pieces, and little waits on either
// side for a slow reader.

import type { TLSSocket } from 'node:tls'
import type { ByteStream } from '../../protocols/byte-stream.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import type { SpareBuffers } from '../base/spare-buffers.ts'

/** Pieces that are handed out. The first is small: many lanes carry little. */
const FIRST_SLAB_BYTES = 64 * 1024
const SLAB_BYTES = 256 * 1024
/** Of one buffer that is read into and sent. */
export const SEND_BYTES = 256 * 1024
/** What may wait for the reader before the other side is slowed down. */
const UNREAD_BYTES_MAX = 1024 * 1024
/** Of the buffers, which wait for the network while more is read from the disk. */
const UNSENT_MAX = 4

/** Is told of every byte as it passes. */
export interface LaneMeter {
  received(bytes: number): void
  sent(bytes: number): void
}

/** Gathers what comes from a lane, in slabs that nobody overwrites. */
export class LaneInbox {
  readonly #slabs: Uint8Array[] = []
  #slab = Buffer.alloc(0)
  /** Of the slab: filled, and of that handed out. */
  #filled = 0
  #given = 0
  #unread = 0
  #end: { readonly error: Error | undefined } | undefined
  #wake = () => {}
  /** Lets more come, after `put` has said that no more may. */
  onRoom = () => {}

  /** Takes a copy; whether more may come. */
  put(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.byteLength; ) {
      if (this.#filled === this.#slab.byteLength) this.#turn()
      const part = bytes.subarray(at, at + this.#slab.byteLength - this.#filled)
      this.#slab.set(part, this.#filled)
      this.#filled += part.byteLength
      at += part.byteLength
    }
    this.#unread += bytes.byteLength
    this.#wake()
    return this.#unread < UNREAD_BYTES_MAX
  }

  /** Nothing more comes: in good order, or with the error that the reader gets in the end. */
  end(error?: Error): void {
    this.#end ??= { error }
    this.#wake()
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#next()
      if (piece !== undefined) {
        const wasFull = this.#unread >= UNREAD_BYTES_MAX
        this.#unread -= piece.byteLength
        if (wasFull && this.#unread < UNREAD_BYTES_MAX) this.onRoom()
        yield piece
      } else if (this.#end === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      } else {
        if (this.#end.error !== undefined) throw this.#end.error
        return
      }
    }
  }

  #next(): Uint8Array | undefined {
    const slab = this.#slabs.shift()
    if (slab !== undefined) return slab
    if (this.#given === this.#filled) return undefined
    const piece = this.#slab.subarray(this.#given, this.#filled)
    this.#given = this.#filled
    return piece
  }

  #turn(): void {
    const rest = this.#slab.subarray(this.#given)
    if (rest.byteLength > 0) this.#slabs.push(rest)
    const isFirst = this.#slab.byteLength === 0
    this.#slab = Buffer.allocUnsafeSlow(isFirst ? FIRST_SLAB_BYTES : SLAB_BYTES)
    this.#filled = 0
    this.#given = 0
  }
}

export interface LaneUse {
  /** This side asks: once the other one has ended, nothing is left to do. */
  readonly isAsking: boolean
  /** Gets what comes from the socket. */
  readonly inbox: LaneInbox
  readonly meter: LaneMeter
  /** For what is sent. */
  readonly buffers: SpareBuffers
}

/** Takes the socket over. */
export class LaneStream implements ByteStream {
  readonly source: AsyncIterable<Uint8Array>
  readonly takesCopies = true
  readonly #socket: TLSSocket
  readonly #meter: LaneMeter
  readonly #buffers: SpareBuffers
  readonly #writing = new KeyedLock<'write'>()
  readonly #isAsking: boolean
  #unsent = 0
  #fault: Error | undefined
  readonly #broken = new AbortController()
  #ended = false
  #wake: (() => void)[] = []

  constructor(socket: TLSSocket, { isAsking, inbox, meter, buffers }: LaneUse) {
    this.#socket = socket
    this.#buffers = buffers
    this.#meter = meter
    this.#isAsking = isAsking
    socket.setNoDelay(true)
    inbox.onRoom = () => socket.resume()
    socket.on('error', (error) => this.abort(error))
    socket.on('end', () => {
      inbox.end()
      if (this.#isAsking) socket.destroy()
    })
    socket.on('close', () => {
      this.#break(new Error('the lane was closed'))
      inbox.end(this.#fault)
      this.#tell()
    })
    this.source = { [Symbol.asyncIterator]: () => this.#read(inbox) }
    if (socket.destroyed) this.abort(new Error('the lane was closed'))
  }

  get isOpen(): boolean {
    return this.#fault === undefined && !this.#ended
  }

  /** Calls the listener once the socket has closed; at once where it has. */
  onClose(listener: () => void): void {
    if (this.#socket.closed) listener()
    else this.#socket.once('close', listener)
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writing.run('write', async () => {
      if (this.#ended) throw new Error('the lane has been ended: nothing more can be written')
      for (let at = 0; at < bytes.byteLength; ) {
        while (this.#unsent >= UNSENT_MAX && this.#fault === undefined) await this.#sent()
        if (this.#fault !== undefined) throw this.#fault
        at += this.#send(bytes.subarray(at))
      }
      if (this.#fault !== undefined) throw this.#fault
    })
  }

  end(): Promise<void> {
    return this.#writing.run('write', async () => {
      if (this.#ended) return
      if (this.#fault !== undefined) throw this.#fault
      this.#ended = true
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve)
        this.#socket.end(resolve)
      })
    })
  }

  get broken(): AbortSignal {
    return this.#broken.signal
  }

  abort(error: Error): void {
    this.#break(error)
    // without an error: nobody listens to what this side knows already
    this.#socket.destroy()
    this.#tell()
  }

  #break(error: Error): void {
    this.#fault ??= error
    this.#broken.abort(this.#fault)
  }

  async *#read(inbox: LaneInbox): AsyncGenerator<Uint8Array> {
    let isComplete = false
    try {
      for await (const piece of inbox.read()) {
        this.#meter.received(piece.byteLength)
        yield piece
      }
      isComplete = true
    } finally {
      if (!isComplete) this.abort(this.#fault ?? new Error('the reader left before the end'))
    }
  }

  /** Sends a copy of as much as one buffer takes; how much that was. */
  #send(bytes: Uint8Array): number {
    const buffer = this.#buffers.take(SEND_BYTES)
    const piece = bytes.subarray(0, buffer.byteLength)
    buffer.set(piece)
    this.#unsent++
    this.#meter.sent(piece.byteLength)
    this.#socket.write(buffer.subarray(0, piece.byteLength), (error) => {
      this.#unsent--
      // of one that was not sent nobody knows who still has it
      if (!error) this.#buffers.give(buffer)
      this.#tell()
    })
    return piece.byteLength
  }

  #sent(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve))
  }

  #tell(): void {
    const waiting = this.#wake
    this.#wake = []
    for (const wake of waiting) wake()
  }
}
