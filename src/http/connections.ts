// The connections of the server and the requests on them: what a stop must wait for.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, sleep } from '../base/clock.ts'
import type { Listener } from './listeners.ts'

/** Handlers whose client was cut off get this long to notice. */
const UNWIND_MS_MAX = 2_000
/** Requests of one connection that wait for others on it: clients that send ahead send a few. */
const WAITING_MAX = 100

/** What a connection is asked, and has not answered. */
interface Line {
  readonly answers: Set<ServerResponse>
  last: ServerResponse | undefined
  /** Of the answers, those to requests that change something. */
  changes: number
  /** Of the answers, those that nobody works at yet. */
  waiting: number
}

export class Connections {
  readonly #listeners: readonly Listener[]
  readonly #clock: Clock
  /** Those on which there is not even TLS yet as well. */
  readonly #sockets = new Set<Socket>()
  /** Of every open connection. */
  readonly #lines = new Map<Socket, Line>()
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
        this.#lines.set(socket, newLine())
        socket.once('close', () => this.#lines.delete(socket))
      })
    }
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /**
   * A request has come. It is answered at once, but not beside one on the same connection that
   * changes something: who sends several without waiting means one after the other (RFC 9112,
   * 9.3.2). It is refused where too many wait already.
   */
  begin(
    request: IncomingMessage,
    response: ServerResponse,
    answer: () => void,
    refuse: () => void
  ): void {
    const { socket } = request
    const line = this.#lines.get(socket) ?? newLine()
    const beganMs = this.#clock.monotonicMs()
    const changes = isSafe(request) ? 0 : 1
    const before = line.answers.size === 0 ? undefined : line.last
    const mayBegin = before === undefined || line.changes + changes === 0
    line.answers.add(response)
    line.last = response
    line.changes += changes
    response.once('close', () => {
      line.answers.delete(response)
      line.changes -= changes
      this.onEnd(request, response, this.#clock.monotonicMs() - beganMs)
      if (line.answers.size === 0 && this.#ending.has(socket)) socket.destroySoon()
    })
    if (mayBegin) answer()
    else if (line.waiting >= WAITING_MAX) refuse()
    else {
      line.waiting++
      before.once('close', () => {
        line.waiting--
        // nobody would hear of it who was told that the connection ends (RFC 9112, 9.6)
        if (socket.writable) answer()
      })
    }
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
    return [...(this.#lines.get(socket)?.answers ?? [])]
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
    for (const socket of this.#lines.keys()) this.endAfterAnswers(socket)
    await closed
    cancel()
    const unwound = new AbortController()
    const wait = sleep(this.#clock, UNWIND_MS_MAX, unwound.signal).catch(() => {})
    await Promise.race([Promise.allSettled(this.#work), wait])
    unwound.abort()
  }
}

function newLine(): Line {
  return { answers: new Set(), last: undefined, changes: 0, waiting: 0 }
}

function isSafe({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

function closing(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
