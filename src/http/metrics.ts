// What monitors read at /metrics, in the text format of Prometheus. Requests are counted as they
// end; all else is looked up when somebody asks.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { addNodeMetrics, type NodeMetricParts } from './node-metrics.ts'
import { PartMetrics } from './part-metrics.ts'
import { addProcessMetrics } from './process-metrics.ts'
import type { ImageRead } from './request-lines.ts'
import { type RouteClass, routeClassOf } from './route-class.ts'

/** Seconds: from a small image out of memory to a large upload. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]

/** Clients may send any method; each would be a series of its own. */
const METHODS = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS'])

/** As nginx counts those whose client did not wait. */
const CLIENT_LEFT = 499

export class Metrics {
  readonly #registry = new Registry()
  readonly #requests: Counter<'route' | 'method' | 'status'>
  readonly #seconds: Histogram<'route'>
  readonly #sentBytes: Counter
  readonly #parts: PartMetrics
  /** Of each connection, how much of what it wrote is counted. */
  readonly #counted = new WeakMap<Socket, number>()

  constructor(parts: NodeMetricParts) {
    const registers = [this.#registry]
    this.#requests = new Counter({
      name: 'tumesh_http_requests_total',
      help: 'Requests that were answered, or whose client went away (status 499)',
      labelNames: ['route', 'method', 'status'],
      registers
    })
    this.#seconds = new Histogram({
      name: 'tumesh_http_request_duration_seconds',
      help: 'From the head of a request to the end of its answer',
      labelNames: ['route'],
      buckets: BUCKETS,
      registers
    })
    this.#sentBytes = new Counter({
      name: 'tumesh_http_sent_bytes_total',
      help: 'Bytes written to clients, heads of answers included',
      registers
    })
    new Gauge({
      name: 'tumesh_http_watchers',
      help: 'Clients that follow /api/events or /stream-logs',
      registers,
      collect() {
        this.set(parts.flows.feed.watchers)
      }
    })
    addNodeMetrics(parts, registers)
    addProcessMetrics(parts.clock, registers)
    const { meshStatus } = parts
    this.#parts = new PartMetrics(registers, async () => (await meshStatus?.figures()) ?? [])
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** All of them, in the text format. */
  async text(): Promise<string> {
    await this.#parts.refresh()
    return this.#registry.metrics()
  }

  /** A request has ended, `ms` after its head came. */
  note(request: IncomingMessage, response: ServerResponse, ms: number): void {
    const { method = '', url = '', socket } = request
    const known = METHODS.has(method) ? method : 'other'
    const status = response.writableFinished ? response.statusCode : CLIENT_LEFT
    this.#note(routeClassOf(url), known, status, ms)
    this.#countBytes(socket)
  }

  /** A read has ended that was answered with an image in memory. */
  noteRead({ method, url, etag }: ImageRead, socket: Socket, isWhole: boolean, ms: number): void {
    const status = etag === undefined ? 200 : 304
    this.#note(routeClassOf(url), method, isWhole ? status : CLIENT_LEFT, ms)
    this.#countBytes(socket)
  }

  #note(route: RouteClass, method: string, status: number, ms: number): void {
    this.#requests.inc({ route, method, status }, 1)
    this.#seconds.observe({ route }, ms / 1000)
  }

  #countBytes(socket: Socket): void {
    const { bytesWritten } = socket
    this.#sentBytes.inc(bytesWritten - (this.#counted.get(socket) ?? 0))
    this.#counted.set(socket, bytesWritten)
  }
}
