// The connections of the server and the requests on them: what a stop must wait for.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, sleep } from '../base/clock.ts'
import type { Listener } from './listeners.ts'

/** Handlers whose client was cut off get this long to notice. */
const UNWIND_MS_MAX = 2_000

export class Connections {
  readonly #listeners: readonly Listener[]
  readonly #clock: Clock
  /** Those on which there is not even TLS yet as well. */
  readonly #sockets = new Set<Socket>()
  /** Every open connection with the answers that it waits for. */
  readonly #answers = new Map<Socket, Set<ServerResponse>>()
  /** Those that end with their last answer. */
  readonly #ending = new WeakSet<Socket>()
  readonly #work = new Set<Promise<unknown>>()
  #stopping = false
  /** Hears of each answer that has ended, and how long it took. */
  onEnd: (request: IncomingMessage, response: ServerResponse, ms: number) => void = () => {}

  constructor(listeners: readonly Listener[], clock: Clock) {
    this.#listeners = listeners
    this.#clock = clock
    for (const { server, connectionEvent } of listeners) {
      server.on('connection', (socket: Socket) => {
        this.#sockets.add(socket)
        socket.once('close', () => this.#sockets.delete(socket))
      })
      server.on(connectionEvent, (socket: Socket) => {
        this.#answers.set(socket, new Set())
        socket.once('close', () => this.#answers.delete(socket))
      })
    }
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /**
   * A request has come. It is answered at once, but not beside one on the same connection that
   * changes something: who sends several without waiting means one after the other (RFC 9112,
   * 9.3.2).
   */
  begin(request: IncomingMessage, response: ServerResponse, answer: () => void): void {
    const { socket } = request
    const open = this.#answers.get(socket)
    const before = [...(open ?? [])]
    const beganMs = this.#clock.monotonicMs()
    open?.add(response)
    response.once('close', () => {
      open?.delete(response)
      this.onEnd(request, response, this.#clock.monotonicMs() - beganMs)
      if (open?.size === 0 && this.#ending.has(socket)) socket.destroySoon()
    })
    const last = before.at(-1)
    if (last === undefined || (isSafe(request) && before.every(({ req }) => isSafe(req)))) answer()
    else last.once('close', () => !socket.destroyed && answer())
  }

  /**
   * Keeps `drain` from ending while something still works for a request. Rejections are the
   * caller's.
   */
  track(work: Promise<unknown>): void {
    this.#work.add(work)
    const end = () => this.#work.delete(work)
    work.then(end, end)
  }

  /** The answers that the connection waits for. */
  answersOn(socket: Socket): readonly ServerResponse[] {
    return [...(this.#answers.get(socket) ?? [])]
  }

  /** Ends the connection after the answers that it waits for. */
  endAfterAnswers(socket: Socket): void {
    this.#ending.add(socket)
    const last = this.answersOn(socket).at(-1)
    if (last === undefined) socket.destroySoon()
    else if (!last.headersSent) last.setHeader('Connection', 'close')
  }

  /**
   * Takes no more connections, closes those without a request at once and the others after their
   * answer, or when the time is over. Resolves when all are closed and nothing works for them any
   * more. `quiet` is when no answer is on its way that did not begin here.
   */
  async drain(timeoutMs: number, quiet = Promise.resolve()): Promise<void> {
    this.#stopping = true
    const cancel = this.#clock.after(timeoutMs, () => {
      for (const socket of this.#sockets) socket.destroy()
    })
    // the platform would cut off what it does not know of
    await quiet
    const closed = Promise.all(this.#listeners.map(({ server }) => closing(server)))
    for (const socket of this.#answers.keys()) this.endAfterAnswers(socket)
    await closed
    cancel()
    const unwound = new AbortController()
    const wait = sleep(this.#clock, UNWIND_MS_MAX, unwound.signal).catch(() => {})
    await Promise.race([Promise.allSettled(this.#work), wait])
    unwound.abort()
  }
}

function isSafe({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

function closing(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
