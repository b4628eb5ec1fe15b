// Answers requests for images that are kept in memory straight on their connection, without taking
// them apart: half of the price of such an answer is what the platform does for any request.
//
// Nothing is parsed here. A client sends the same lines with each of its requests, but for the
// image. Where the platform has read one of them as a whole request for an image, another that is
// the same byte for byte, but for an address under which an image is kept and the ETag of this
// image, means the same. Whatever differs - other lines, a part of a request, more than one - goes
// to the platform, and a connection on which anything but whole requests without a body was seen
// stays there.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { Client } from './clients.ts'
import type { HotImages } from './hot-images.ts'
import type { InWork } from './in-work.ts'
import { HEAD_MS_MAX } from './listeners.ts'
import {
  hasBody,
  type ImageRead,
  isLikelyRead,
  isOneRequest,
  REQUEST_BYTES_MAX,
  RequestLines
} from './request-lines.ts'

export interface QuickReadsParts {
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>
  readonly hot: Pick<HotImages, 'quickAnswer'>
  readonly inWork: InWork
  /** Whether requests may be answered at this moment. */
  readonly isOpen: () => boolean
  /** Hears of each answer that has left whole, or whose client went away. */
  readonly onEnd: (read: ImageRead, socket: Socket, isWhole: boolean, ms: number) => void
}

type Execute = (chunk: Buffer) => void
type Accept = (socket: Socket) => void

/** Requests that were read and what follows from their lines alone. */
interface Alike {
  readonly lines: RequestLines
  readonly client: Client | undefined
}

export class QuickReads {
  readonly #parts: QuickReadsParts
  /** The connection whose bytes the platform reads at this moment. */
  #reading: QuickConnection | undefined
  readonly #writing = new Set<Socket>()
  #whenQuiet = () => {}

  constructor(parts: QuickReadsParts) {
    this.#parts = parts
  }

  /**
   * Looks at the first bytes of each connection before the platform does. One that begins with a
   * read stays here; the platform reads everything faster where nobody else sees it.
   */
  watch(server: Server): void {
    const [accept, ...more] = server.listeners('connection') as Accept[]
    if (accept === undefined) return
    server.removeAllListeners('connection')
    for (const listener of more) server.on('connection', listener)
    server.on('connection', (socket: Socket) => {
      firstBytes(socket, (chunk) => {
        accept.call(server, socket)
        if (isRead(chunk)) this.#attach(socket)
      })
    })
  }

  #attach(socket: Socket): void {
    const [execute, ...more] = socket.listeners('data') as Execute[]
    if (execute === undefined || more.length > 0) return
    const connection = new QuickConnection(this.#parts, socket, this.#writing, () =>
      this.#whenQuiet()
    )
    socket.removeListener('data', execute)
    socket.on('data', (chunk: Buffer) => {
      if (connection.answer(chunk)) return
      const before = this.#reading
      this.#reading = connection
      try {
        execute.call(socket, chunk)
      } finally {
        connection.isRead()
        this.#reading = before
      }
    })
  }

  /** The platform has read a request. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#reading?.begin(request, response)
  }

  /** The request that was just read reads an image, and counts for this client. */
  allow(request: IncomingMessage, client: Client | undefined): void {
    this.#reading?.allow(request, client)
  }

  /** Resolves when no answer is on its way any more. */
  quiet(): Promise<void> {
    if (this.#writing.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenQuiet = () => {
        if (this.#writing.size === 0) resolve()
      }
    })
  }
}

/** Whether the requests of this client may be answered here: its others are most likely alike. */
function isRead(chunk: Buffer): boolean {
  return chunk.byteLength <= REQUEST_BYTES_MAX && isLikelyRead(chunk.toString('latin1'))
}

/** Hands the first bytes to whoever listens to the socket once `then` has returned. */
function firstBytes(socket: Socket, then: (chunk: Buffer) => void): void {
  const destroy = () => socket.destroy()
  const end = () => socket.end()
  socket.setTimeout(HEAD_MS_MAX, destroy)
  socket.on('error', destroy)
  socket.once('end', end)
  socket.once('data', (chunk: Buffer) => {
    socket.setTimeout(0, destroy)
    socket.off('error', destroy).off('end', end)
    socket.pause()
    socket.unshift(chunk)
    then(chunk)
    process.nextTick(() => socket.resume())
  })
}

class QuickConnection {
  readonly #parts: QuickReadsParts
  readonly #socket: Socket
  readonly #writing: Set<Socket>
  readonly #whenWritten: () => void
  /** Whether all that came were whole requests, so that the next byte begins another. */
  #isClean = true
  /** The chunk that the platform reads, if it is one request. */
  #text: string | undefined
  /** The newest that was read without a condition, and with one: many clients send both. */
  #plain: Alike | undefined
  #conditional: Alike | undefined
  /** Requests that the platform has read and that are not answered. */
  #open = 0
  #beganMs = 0
  /** What is on its way, and for whom; the next request may be another's. */
  #answering: { readonly read: ImageRead; readonly client: Client | undefined } | undefined
  #giveBack: (() => void) | undefined

  constructor(
    parts: QuickReadsParts,
    socket: Socket,
    writing: Set<Socket>,
    whenWritten: () => void
  ) {
    this.#parts = parts
    this.#socket = socket
    this.#writing = writing
    this.#whenWritten = whenWritten
    socket.once('close', () => this.#written(true))
  }

  /** False if the chunk is for the platform. */
  answer(chunk: Buffer): boolean {
    if (!this.#isClean) return false
    if (chunk.byteLength > REQUEST_BYTES_MAX) return this.#leave()
    const text = chunk.toString('latin1')
    if (this.#answerIfAlike(text, this.#plain)) return true
    if (this.#answerIfAlike(text, this.#conditional)) return true
    if (!isOneRequest(text)) return this.#leave()
    this.#text = text
    return false
  }

  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#open++
    response.once('close', this.#onAnswered)
    const { method, url } = request
    if (hasBody(request) || !this.#text?.startsWith(`${method} ${url} HTTP/1.1\r\n`)) this.#leave()
  }

  allow(request: IncomingMessage, client: Client | undefined): void {
    if (this.#text === undefined || !this.#isClean) return
    const lines = RequestLines.of(this.#text, request)
    if (lines?.isConditional) this.#conditional = { lines, client }
    else if (lines !== undefined) this.#plain = { lines, client }
  }

  /** The platform has read the chunk. */
  isRead(): void {
    this.#text = undefined
  }

  #leave(): false {
    this.#isClean = false
    this.#plain = undefined
    this.#conditional = undefined
    this.#text = undefined
    return false
  }

  #answerIfAlike(text: string, alike: Alike | undefined): boolean {
    const read = alike?.lines.read(text)
    return read !== undefined && this.#answerRead(read, alike?.client)
  }

  #answerRead(read: ImageRead, client: Client | undefined): boolean {
    const { clock, hot, inWork, isOpen } = this.#parts
    const socket = this.#socket
    if (this.#open > 0 || this.#answering !== undefined || socket.writableLength > 0) return false
    if (!socket.writable || !isOpen() || !inWork.hasRoom(client)) return false
    const answer = hot.quickAnswer(read, clock.now())
    if (answer === undefined) return false
    inWork.enter(client)
    this.#answering = { read, client }
    this.#beganMs = clock.monotonicMs()
    this.#writing.add(socket)
    this.#giveBack = answer.giveBack
    socket.write(answer.bytes, this.#onWritten)
    return true
  }

  readonly #onAnswered = (): void => {
    this.#open--
  }

  readonly #onWritten = (error: Error | null | undefined): void => {
    this.#written(error !== null && error !== undefined)
  }

  #written(hasFailed: boolean): void {
    const answering = this.#answering
    if (answering === undefined) return
    const { clock, inWork, onEnd } = this.#parts
    this.#answering = undefined
    this.#writing.delete(this.#socket)
    if (!hasFailed) this.#giveBack?.()
    this.#giveBack = undefined
    inWork.leave(answering.client)
    onEnd(answering.read, this.#socket, !hasFailed, clock.monotonicMs() - this.#beganMs)
    this.#whenWritten()
  }
}
