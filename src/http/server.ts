// The HTTP server: how it begins to listen, how it answers, how it stops. Reads of images are
// answered here at once, all else by the route table.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { ContentHash } from '../../protocols/hash.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import { SpareBuffers } from '../base/spare-buffers.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { SMALL_BLOB_BYTES_MAX } from '../store/blob-store.ts'
import { answerFailure } from './answer-failure.ts'
import { createApi } from './api.ts'
import { Clients } from './clients.ts'
import { Connections } from './connections.ts'
import { createCors } from './cors.ts'
import { errorBody } from './error-body.ts'
import type { Guard } from './guard.ts'
import { HotImages } from './hot-images.ts'
import { isHotlinkOn } from './hotlink.ts'
import { InWork } from './in-work.ts'
import { createListeners, HEAD_BYTES_MAX, type ListenerOptions } from './listeners.ts'
import { Metrics } from './metrics.ts'
import type { HttpOptions } from './options.ts'
import { planHotBytes } from './plan-hot-bytes.ts'
import type { ApiOptions, HttpParts } from './ports.ts'
import { QuickReads, type QuickReadsParts } from './quick-reads.ts'
import { isLimited, RateLimits } from './rate-limits.ts'
import { Refusals } from './refusals.ts'
import { requestFault, takeWholeAddress } from './request-fault.ts'
import { createRouteTable } from './route-table.ts'
import { createImageReads } from './routes/image-reads.ts'
import { Samples } from './samples.ts'
import { ServerTiming } from './server-timing.ts'

/** For bytes on their way to clients: as much as 32 clients are sent at one time. */
const BUFFERS = { bytesMax: SMALL_BLOB_BYTES_MAX, keptBytesMax: 32 * SMALL_BLOB_BYTES_MAX }

export interface HttpServer {
  /** Where it listens. Errors: PORT_TAKEN, ADDRESS_UNUSABLE. */
  listen(): Promise<{
    readonly host: string
    readonly port: number
    /** Of HTTPS; undefined without a certificate. */
    readonly tlsPort: number | undefined
  }>
  /**
   * Resolves when no request is under way any more, after `drainTimeoutMs` and a little at the
   * latest.
   */
  close(): Promise<void>
}

export type ServerOptions = ApiOptions &
  ListenerOptions &
  Pick<
    HttpOptions,
    | 'read'
    | 'drainTimeoutMs'
    | 'corsOrigins'
    | 'pathMaxAgeMs'
    | 'serverTiming'
    | 'accelLocation'
    | 'hotBytesMax'
    | 'rates'
    | 'inWork'
  >

export function createHttpServer(
  httpParts: HttpParts,
  guard: Guard,
  options: ServerOptions
): HttpServer {
  const { index } = httpParts.flows
  const refusals = new Refusals({ ...httpParts, guard })
  const parts = { ...httpParts, onFailure: onFailure(index, refusals) }
  const listeners = createListeners(parts, options)
  const connections = new Connections(listeners, parts.clock)
  const track = (work: Promise<unknown>, name = 'GET /images') => {
    connections.track(work)
    const end = parts.flows.activity?.begin(name)
    if (end !== undefined) void work.then(end, end)
  }
  const metrics = new Metrics(parts)
  const samples = new Samples(parts)
  connections.onEnd = (request, response, ms) => {
    metrics.note(request, response, ms)
    samples.note(request, response, ms)
    inWork.end(response)
  }
  const rates = isLimited(options.rates) ? new RateLimits(parts, options.rates) : undefined
  const clients = new Clients({ ...parts, guard }, options.rates)
  const inWork = new InWork(options.inWork, parts.flows.requests)
  const timing = options.serverTiming ? new ServerTiming(parts) : undefined
  const cors = createCors(options.corsOrigins, { isTimed: options.serverTiming })
  const buffers = new SpareBuffers(BUFFERS)
  const open = (hash: ContentHash) => parts.flows.store.open(hash)
  const stamp = (hash: ContentHash) => parts.flows.store.stamp(hash)
  const files = { open, stamp, buffers }
  const bytesMax = planHotBytes(options.hotBytesMax, process.constrainedMemory())
  const hot = new HotImages(index, { bytesMax }, files)
  parts.flows.blocks.onChange(() => hot.clear())
  const reads = createImageReads({ ...parts, guard, track, hot, buffers, timing }, options)
  const isOpen = () => !connections.stopping && index.upkeep.reopening === undefined
  const quick = createQuickReads({ ...parts, hot, inWork, isOpen, metrics, samples }, options)
  const routes = createRouteTable({ ...parts, guard, metrics, samples }, options, reads.routes)
  const api = createApi({ ...parts, guard, routes, track, timing })

  function answer(request: IncomingMessage, response: ServerResponse): void {
    // for a moment nothing can be read
    if (index.upkeep.reopening !== undefined) {
      void index.upkeep.reopening.then(() => answer(request, response))
      return
    }
    const refusal = connections.stopping ? stopping() : requestFault(request)
    timing?.begin(response)
    if (refusal !== undefined) {
      response.setHeader('Connection', 'close')
      answerFailure(parts, request, response, refusal)
    } else if (cors.apply(request, response)) return
    else if (!isWithin(request, response)) return
    else if (!reads.tryAnswer(request, response)) {
      response.setHeader('X-Content-Type-Options', 'nosniff')
      api.listener(request, response)
    }
  }
  function receive(request: IncomingMessage, response: ServerResponse): void {
    quick?.begin(request, response)
    takeWholeAddress(request)
    connections.begin(
      request,
      response,
      () => answer(request, response),
      () => answerFailure(parts, request, response, waitingLong())
    )
  }
  /** Whether the client may have it now; false: it was told. */
  function isWithin(request: IncomingMessage, response: ServerResponse): boolean {
    try {
      const client = clients.clientOf(request)
      inWork.admit(request, response, client)
      if (client !== undefined) rates?.admit(request, response, client)
      if (reads.isRead(request)) quick?.allow(request, client)
      return true
    } catch (error) {
      answerFailure(parts, request, response, error)
      return false
    }
  }
  for (const { server, connectionEvent } of listeners) {
    if (connectionEvent === 'connection') quick?.watch(server)
    server.on('request', receive)
    server.on('checkContinue', receive)
    server.on('checkExpectation', receive) // what nobody here can expect is no reason to refuse
    server.on('clientError', (error, socket) => answerGarbage(error, socket as Socket, connections))
  }
  return {
    async listen() {
      await api.ready()
      for (const listener of listeners) await listener.listen()
      for (const { server } of listeners) {
        server.on('error', (error) => parts.log.error({ err: error }, 'the HTTP server failed'))
      }
      samples.begin()
      const [plain, secure] = listeners.map(({ server }) => server.address() as AddressInfo)
      const { address: host = '', port = 0 } = plain ?? {}
      return { host, port, tlsPort: secure?.port }
    },
    async close() {
      samples.end()
      await connections.drain(options.drainTimeoutMs, quick?.quiet())
      refusals.flush()
      for (const { end } of listeners) end()
      await api.close()
    }
  }
}

type QuickParts = Omit<QuickReadsParts, 'onEnd'> & {
  readonly metrics: Metrics
  readonly samples: Samples
}

/**
 * Undefined where not all who ask for an image get the same answer, so that more of what a request
 * says must be looked at than its address.
 */
function createQuickReads(
  { metrics, samples, ...parts }: QuickParts,
  options: ServerOptions
): QuickReads | undefined {
  const { read, hotBytesMax, corsOrigins, rates, serverTiming, signedUrls, hotlink } = options
  const isPublic = read === 'public' && !signedUrls && !isHotlinkOn(hotlink)
  const isPlain = corsOrigins.length === 0 && !isLimited(rates) && !serverTiming
  if (hotBytesMax === 0 || !isPublic || !isPlain) return undefined
  const onEnd: QuickReadsParts['onEnd'] = (read, socket, isWhole, ms) => {
    metrics.noteRead(read, socket, isWhole, ms)
    samples.noteRead(ms)
  }
  return new QuickReads({ ...parts, onEnd })
}

function onFailure({ upkeep }: ImageIndex, refusals: Refusals) {
  return (error: unknown, request: IncomingMessage) => {
    void upkeep.noteFailure(error)
    refusals.note(request, error)
  }
}

function stopping(): NodeError {
  return new NodeError('STOPPING', 'The node is stopping. Ask again when it runs.')
}

function waitingLong(): NodeError {
  const sentence =
    'Too many requests wait on this connection for those before them. Wait for their answers.'
  return new NodeError('TOO_MANY_REQUESTS', sentence, { retryAfterMs: 1000 })
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
  const text = JSON.stringify(
    errorBody(new NodeError('BAD_REQUEST', sentence, saidAs('request_broken'))).body
  )
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
