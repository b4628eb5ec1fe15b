// Two servers of the platform with the same answers, one of which answers what is kept at once.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { planConditional } from '../../src/http/conditional.ts'
import type { QuickAnswer } from '../../src/http/hot-images.ts'
import { InWork } from '../../src/http/in-work.ts'
import { QuickReads } from '../../src/http/quick-reads.ts'
import type { ImageRead } from '../../src/http/request-lines.ts'
import { datedAt, wireAnswerOf, wireSameOf } from '../../src/http/wire-answer.ts'
import { ManualClock } from './manual-clock.ts'

/** Addresses are compared whole, as where images are kept. */
const ADDRESSES = new Set(['/kept/1', '/kept/2', '/kept/22', '/kept/3'])
const MODIFIED_MS = Date.UTC(2024, 1, 3)
const KEEP_ALIVE_MS = 75_000

/** Of what is kept under `/kept/N`. */
export const etagOf = (n: number) => `"${String(n).padStart(64, '0')}"`
const etagAt = (url: string) => etagOf(Number(url.slice('/kept/'.length)))
const sameHeaders = (url: string) => ['ETag', etagAt(url), 'Cache-Control', 'no-cache']
const keptHeaders = (url: string) => [...sameHeaders(url), 'Content-Length', '4']

export interface QuickServer {
  readonly port: number
  /** Requests that the platform has read. */
  readonly seen: string[]
  /** The addresses that were answered at once, after what was asked for other than all of it. */
  readonly quick: string[]
  readonly inWork: InWork
  /** Answers of the platform that have not been given yet, where they wait. */
  readonly waiting: (() => void)[]
  isOpen: boolean
  /** On the newest connection. */
  bytesRead(): number
  close(): Promise<void>
}

/** `/kept/...` is kept; `/wait/...` waits. Without `isQuick` the platform answers all. */
export async function startQuickServer({ isQuick = true, addressMax = 0 } = {}) {
  const [seen, quick, waiting]: [string[], string[], (() => void)[]] = [[], [], []]
  const inWork = new InWork({ addressMax, keyMax: 0 })
  const state = { isOpen: true }
  const reads = new QuickReads({
    clock: new ManualClock(),
    hot: { quickAnswer },
    inWork,
    isOpen: () => state.isOpen,
    onEnd: ({ method, url, etag }) => {
      quick.push(`${method === 'GET' ? '' : 'HEAD '}${etag === undefined ? '' : '304 '}${url}`)
    }
  })
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requireHostHeader: false })
  let last: Socket | undefined
  server.on('connection', (socket) => {
    last = socket
  })
  if (isQuick) reads.watch(server)
  const bytesRead = () => last?.bytesRead ?? 0
  server.on('request', (request, response) => {
    const { method, url = '' } = request
    reads.begin(request, response)
    reads.allow(request, addressMax > 0 ? { name: 'one', hasKey: false } : undefined)
    seen.push(`${method} ${url}`)
    request.resume()
    if (url.startsWith('/wait/')) waiting.push(() => answer(request, response))
    else answer(request, response)
  })
  server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const made = { port, seen, quick, inWork, waiting, bytesRead, close: () => closed(server) }
  return Object.assign(state, made) satisfies QuickServer
}

function quickAnswer({ method, url, etag }: ImageRead, nowMs: number): QuickAnswer | undefined {
  if (!ADDRESSES.has(url)) return undefined
  const kept = wireAnswerOf(keptHeaders(url), Buffer.from('kept'))
  if (etag === etagAt(url)) return { bytes: datedAt(wireSameOf(sameHeaders(url)), nowMs) }
  if (etag !== undefined) return undefined
  const bytes = datedAt(kept, nowMs)
  return { bytes: method === 'HEAD' ? kept.head : bytes }
}

function answer({ method = '', url = '', headers }: IncomingMessage, response: ServerResponse) {
  if (!url.startsWith('/kept/')) {
    response.writeHead(200, { 'Content-Length': url.length }).end(url)
    return
  }
  const current = { etag: etagAt(url), modifiedMs: MODIFIED_MS }
  const plan = planConditional(method, headers, current)
  if (plan.answer === 'send') response.writeHead(200, keptHeaders(url)).end('kept')
  else response.writeHead(plan.answer === 'not-modified' ? 304 : 412, sameHeaders(url)).end()
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
