// A libp2p stream whose other side is a test: it keeps the states and the events of a real one.

import {
  type Stream,
  StreamAbortEvent,
  StreamCloseEvent,
  StreamMessageEvent,
  StreamResetEvent
} from '@libp2p/interface'

export class FakeStream extends EventTarget {
  status = 'open'
  readStatus = 'readable'
  writeStatus = 'writable'
  remoteWriteStatus = 'writable'
  writableNeedsDrain = false
  readBufferLength = 0
  writeBufferLength = 0
  /** What was handed on, piece by piece. */
  readonly sent: Uint8Array[] = []
  /** Bytes that the other side takes before it wants to be waited for. */
  window = Number.POSITIVE_INFINITY
  resumeFault: Error | undefined
  #unread: Uint8Array[] = []
  #readers = 0

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    super.addEventListener(...args)
    if (args[0] !== 'message') return
    this.#readers++
    queueMicrotask(() => this.#dispatch())
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    super.removeEventListener(...args)
    if (args[0] === 'message') this.#readers--
  }

  get asStream(): Stream {
    return this as unknown as Stream
  }

  send(bytes: Uint8Array): boolean {
    if (this.writeStatus !== 'writable') throw new Error(`cannot write: ${this.writeStatus}`)
    this.sent.push(bytes)
    this.writeBufferLength += bytes.byteLength
    this.#flush()
    return !this.writableNeedsDrain
  }

  /** Never returns if the stream is aborted while bytes wait, as libp2p's does. */
  async close(): Promise<void> {
    while (this.writeBufferLength > 0) {
      await new Promise((resolve) => this.addEventListener('drain', resolve, { once: true }))
      await Promise.resolve()
    }
    this.writeStatus = 'closed'
  }

  abort(error: Error): void {
    if (this.status !== 'open') return
    this.status = 'aborted'
    this.#finish()
    this.dispatchEvent(new StreamAbortEvent(error))
  }

  pause(): void {
    this.readStatus = 'paused'
  }

  resume(): void {
    this.readStatus = 'readable'
    this.#dispatch()
    if (this.resumeFault !== undefined) throw this.resumeFault
  }

  /** The other side takes `bytes` more; like yamux, it wakes the writer in any case. */
  drain(bytes: number): void {
    this.window += bytes
    this.writableNeedsDrain = false
    queueMicrotask(() => this.#flush())
    this.dispatchEvent(new Event('drain'))
  }

  receive(bytes: Uint8Array): void {
    this.#unread.push(bytes)
    this.readBufferLength += bytes.byteLength
    this.#dispatch()
  }

  receiveEnd(): void {
    this.remoteWriteStatus = 'closed'
    this.dispatchEvent(new Event('remoteCloseWrite'))
  }

  receiveReset(): void {
    this.status = 'reset'
    this.#finish()
    this.dispatchEvent(new StreamResetEvent(new Error('reset by the other side')))
  }

  /** The connection ends without a word about this stream. */
  loseConnection(): void {
    this.status = 'closed'
    this.writeStatus = 'closed'
    this.remoteWriteStatus = 'closed'
    this.dispatchEvent(new StreamCloseEvent(false))
  }

  #finish(): void {
    this.writeStatus = 'closed'
    this.remoteWriteStatus = 'closed'
    this.readStatus = 'closed'
    this.readBufferLength = 0
    this.#unread = []
  }

  #flush(): void {
    const taken = Math.min(this.window, this.writeBufferLength)
    this.window -= taken
    this.writeBufferLength -= taken
    this.writableNeedsDrain = this.writeBufferLength > 0
  }

  #dispatch(): void {
    if (this.readStatus !== 'readable' || this.#readers === 0) return
    if (this.readBufferLength === 0) return
    const bytes = Buffer.concat(this.#unread)
    this.#unread = []
    this.readBufferLength = 0
    this.dispatchEvent(new StreamMessageEvent(bytes))
  }
}
