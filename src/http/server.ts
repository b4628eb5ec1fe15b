// The HTTP server: its limits, how it begins to listen, how it stops. Reads of images are answered
// here at once, all else by the route table.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import { answerFailure } from './answer-failure.ts'
import { createApi } from './api.ts'
import { Connections } from './connections.ts'
import { createCors } from './cors.ts'
import { errorBody } from './error-body.ts'
import type { Guard } from './guard.ts'
import { Metrics } from './metrics.ts'
import type { HttpOptions } from './options.ts'
import type { ApiOptions, HttpParts } from './ports.ts'
import { createRouteTable } from './route-table.ts'
import { createImageReads } from './routes/image-reads.ts'

export interface HttpServer {
  /** Where it listens. Errors: PORT_TAKEN, ADDRESS_UNUSABLE. */
  listen(): Promise<{ readonly host: string; readonly port: number }>
  /**
   * Resolves when no request is under way any more, after `drainTimeoutMs` and a little at the
   * latest.
   */
  close(): Promise<void>
}

export type ServerOptions = ApiOptions &
  Pick<HttpOptions, 'host' | 'port' | 'read' | 'drainTimeoutMs' | 'corsOrigins' | 'pathMaxAgeMs'>

/** Paths of 1,024 bytes in their longest spelling fit four times. */
const HEAD_BYTES_MAX = 16 * 1024
const HEAD_MS_MAX = 15_000
/** 100 MB at 30 KB/s. */
const REQUEST_MS_MAX = 3_600_000
/** A connection on which nothing moves at all, in neither direction. */
const IDLE_MS_MAX = 120_000
/**
 * Longer than clients and proxies keep theirs, so that it is they who close and no request meets a
 * closing server.
 */
const KEEP_ALIVE_MS = 75_000
const CONNECTIONS_MAX = 16_384
/** Connections that wait to be taken; the system cuts it to its own limit. */
const BACKLOG_MAX = 4_096

export function createHttpServer(
  parts: HttpParts,
  guard: Guard,
  options: ServerOptions
): HttpServer {
  const server = createLimitedServer()
  const connections = new Connections(server, parts.clock)
  const track = (work: Promise<unknown>, name = 'GET /images') => {
    connections.track(work)
    const end = parts.flows.activity?.begin(name)
    if (end !== undefined) void work.then(end, end)
  }
  const metrics = new Metrics(parts)
  connections.onEnd = (request, response, ms) => metrics.note(request, response, ms)
  const cors = createCors(options.corsOrigins)
  const reads = createImageReads({ ...parts, guard, track }, options)
  const routes = createRouteTable({ ...parts, metrics }, options, reads.routes)
  const api = createApi({ ...parts, server, guard, routes, track })

  function answer(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('X-Content-Type-Options', 'nosniff')
    const refusal = connections.stopping ? stopping() : requestFault(request)
    connections.begin(request, response)
    if (refusal !== undefined) {
      response.setHeader('Connection', 'close')
      answerFailure(parts, request, response, refusal)
    } else if (cors.apply(request, response)) return
    else if (!reads.tryAnswer(request, response)) api.listener(request, response)
  }
  server.on('request', answer)
  server.on('checkContinue', answer)
  server.on('clientError', (error, socket) => answerGarbage(error, socket as Socket, connections))
  return {
    async listen() {
      await api.ready()
      await listening(server, options)
      server.on('error', (error) => parts.log.error({ err: error }, 'the HTTP server failed'))
      const { address, port } = server.address() as AddressInfo
      return { host: address, port }
    },
    async close() {
      await connections.drain(options.drainTimeoutMs)
      await api.close()
    }
  }
}

function createLimitedServer(): Server {
  const server = createServer({
    maxHeaderSize: HEAD_BYTES_MAX,
    headersTimeout: HEAD_MS_MAX,
    requestTimeout: REQUEST_MS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requireHostHeader: false // refused here, in the form of all errors
  })
  server.setTimeout(IDLE_MS_MAX)
  server.maxConnections = CONNECTIONS_MAX
  // Their size is bounded; dropping those beyond a number would hide them from the guard.
  server.maxHeadersCount = 0
  return server
}

function listening(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: unknown) => reject(listenError(error, host, port))
    server.once('error', onError)
    server.listen({ host, port, backlog: BACKLOG_MAX }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

function listenError(cause: unknown, host: string, port: number): NodeError {
  const system = systemCodeOf(cause)
  const details = { host, port, system }
  if (system === 'EADDRINUSE') {
    const sentence = `Port ${port} on ${host} is taken by another program. Stop it, or choose another port with --http-port.`
    return new NodeError('PORT_TAKEN', sentence, details, { cause })
  }
  const why = system === 'EACCES' ? 'this user may not' : `the system says ${system ?? cause}`
  const sentence = `The node can't listen on ${host}, port ${port}: ${why}. Choose others with --http-host and --http-port.`
  return new NodeError('ADDRESS_UNUSABLE', sentence, details, { cause })
}

function stopping(): NodeError {
  return new NodeError('STOPPING', 'The node is stopping. Ask again when it runs.')
}

function requestFault({ httpVersion, headers }: IncomingMessage): NodeError | undefined {
  if (headers.host !== undefined || httpVersion === '1.0') return undefined
  return new NodeError('BAD_REQUEST', 'The request has no Host header.')
}

const GARBAGE: Readonly<Record<string, readonly [status: string, sentence: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    `The head of the request is longer than ${HEAD_BYTES_MAX} bytes.`
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not come to its end in time.']
}

/** What is no HTTP is answered once and ends its connection, never more. */
function answerGarbage(error: Error, socket: Socket, connections: Connections): void {
  const system = systemCodeOf(error) ?? ''
  const answers = connections.answersOn(socket)
  if (!socket.writable || system === 'ECONNRESET') socket.destroy()
  else if (answers.length > 0 && answers.every(({ req }) => req.complete)) {
    // It came after whole requests, which have their answers to come.
    connections.endAfterAnswers(socket)
  } else if (answers.some(({ headersSent }) => headersSent)) socket.destroy()
  else {
    socket.write(garbageAnswer(system))
    socket.destroySoon()
  }
}

function garbageAnswer(system: string): string {
  const [status, sentence] = GARBAGE[system] ?? ['400 Bad Request', 'This is not an HTTP request.']
  const text = JSON.stringify(errorBody(new NodeError('BAD_REQUEST', sentence)).body)
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`
  ]
  return `${head.join('\r\n')}\r\n\r\n${text}`
}
