// Two servers of the platform with the same answers, one of which answers what is kept at once.

import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { HotImages } from '../../src/http/hot-images.ts'
import { InWork } from '../../src/http/in-work.ts'
import { QuickReads } from '../../src/http/quick-reads.ts'
import { datedAt, wireAnswerOf } from '../../src/http/wire-answer.ts'
import { ManualClock } from './manual-clock.ts'

const KEPT = ['ETag', '"kept"', 'Content-Type', 'image/jpeg', 'Content-Length', '4']
/** Addresses are compared whole, as where images are kept. */
const ADDRESSES = new Set(['/kept/1', '/kept/2', '/kept/22', '/kept/3'])
const KEEP_ALIVE_MS = 75_000

export interface QuickServer {
  readonly port: number
  /** Requests that the platform has read. */
  readonly seen: string[]
  /** What was answered at once. */
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
  const kept = wireAnswerOf(KEPT, Buffer.from('kept'))
  const hot: Pick<HotImages, 'quickAnswer'> = {
    quickAnswer: (url, nowMs) => (ADDRESSES.has(url) ? { bytes: datedAt(kept, nowMs) } : undefined)
  }
  const state = { isOpen: true }
  const reads = new QuickReads({
    clock: new ManualClock(),
    hot,
    inWork,
    isOpen: () => state.isOpen,
    onEnd: (url) => void quick.push(url)
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
    if (url.startsWith('/wait/')) waiting.push(() => answer(url, response))
    else answer(url, response)
  })
  server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const made = { port, seen, quick, inWork, waiting, bytesRead, close: () => closed(server) }
  return Object.assign(state, made) satisfies QuickServer
}

function answer(url: string, response: ServerResponse): void {
  if (url.startsWith('/kept/')) response.writeHead(200, KEPT).end('kept')
  else response.writeHead(200, { 'Content-Length': url.length }).end(url)
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
