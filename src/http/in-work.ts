// How many requests are being answered at one time: of one client, so that nobody has the node for
// himself who reads slowly or asks for everything at once, and of all. Reads are what others wait
// for, so writes are sent away first.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { NodeError } from '../base/errors.ts'
import type { RequestCount } from '../base/request-count.ts'
import type { Client } from './clients.ts'

export interface InWorkOptions {
  /** Of an address without a key; 0 is no limit. */
  readonly addressMax: number
  /** With one key; 0 is no limit. */
  readonly keyMax: number
}

/** The share of its requests that a client may write with. */
const WRITES_SHARE = 3 / 4
/** Half of the connections that the server takes: the others are left to readers. */
export const WRITES_BEFORE_MAX = 8_192
const RETRY_AFTER_MS = 1_000
const BUSY_RETRY_AFTER_MS = 10_000

export class InWork {
  readonly #options: InWorkOptions
  readonly #counts = new Map<string, number>()
  readonly #clients = new WeakMap<ServerResponse, Client | undefined>()
  readonly #requests: RequestCount | undefined
  #total = 0

  /** `requests`: what others make room by. */
  constructor(options: InWorkOptions, requests?: RequestCount) {
    this.#options = options
    this.#requests = requests
  }

  /** Requests that are being answered. */
  get total(): number {
    return this.#total
  }

  /**
   * Counts the request until `end`. Throws TOO_MANY_REQUESTS, or BUSY for a write. `client` is
   * undefined where no limit holds.
   */
  admit({ method }: IncomingMessage, response: ServerResponse, client: Client | undefined): void {
    const writes = method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'
    if (writes && this.#total >= WRITES_BEFORE_MAX) throw busy()
    const max = this.#maxOf(client)
    const may = writes ? Math.max(1, Math.floor(max * WRITES_SHARE)) : max
    if (max > 0 && this.#countOf(client) >= may) throw tooMany(may)
    this.enter(client)
    this.#clients.set(response, client)
  }

  /** Whether the client may read something now. */
  hasRoom(client: Client | undefined): boolean {
    const max = this.#maxOf(client)
    return max === 0 || this.#countOf(client) < max
  }

  /** Counts a request until `leave`. */
  enter(client: Client | undefined): void {
    this.#total++
    this.#requests?.note()
    if (client !== undefined) this.#counts.set(client.name, this.#countOf(client) + 1)
  }

  leave(client: Client | undefined): void {
    this.#total--
    if (client === undefined) return
    const left = this.#countOf(client) - 1
    if (left > 0) this.#counts.set(client.name, left)
    else this.#counts.delete(client.name)
  }

  /** The answer has left, or its client has. */
  end(response: ServerResponse): void {
    if (!this.#clients.has(response)) return
    this.leave(this.#clients.get(response))
    this.#clients.delete(response)
  }

  #maxOf(client: Client | undefined): number {
    if (client === undefined) return 0
    return client.hasKey ? this.#options.keyMax : this.#options.addressMax
  }

  #countOf(client: Client | undefined): number {
    return client === undefined ? 0 : (this.#counts.get(client.name) ?? 0)
  }
}

function tooMany(max: number): NodeError {
  const sentence =
    `From here ${max} requests are being answered at this moment, which is all that one client may have. ` +
    'Come again when one of them has ended; a proxy is to be named in http.trusted_proxies.'
  return new NodeError('TOO_MANY_REQUESTS', sentence, { retryAfterMs: RETRY_AFTER_MS })
}

function busy(): NodeError {
  return new NodeError(
    'BUSY',
    'So much is asked of this server at this moment that it takes nothing new in. Try again in a moment.',
    { retryAfterMs: BUSY_RETRY_AFTER_MS }
  )
}
