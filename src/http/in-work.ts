// How many requests are being answered at one time: of one client, so that nobody has the node for
// himself who reads slowly or asks for everything at once, and of all. Reads are what others wait
// for, so writes are sent away first.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { NodeError } from '../base/errors.ts'
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
  readonly #names = new WeakMap<ServerResponse, string>()
  #total = 0

  constructor(options: InWorkOptions) {
    this.#options = options
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
    const name = client?.name ?? ''
    if (client !== undefined) {
      const max = client.hasKey ? this.#options.keyMax : this.#options.addressMax
      const count = this.#counts.get(name) ?? 0
      const may = writes ? Math.max(1, Math.floor(max * WRITES_SHARE)) : max
      if (max > 0 && count >= may) throw tooMany(may)
      this.#counts.set(name, count + 1)
    }
    this.#total++
    this.#names.set(response, name)
  }

  /** The answer has left, or its client has. */
  end(response: ServerResponse): void {
    const name = this.#names.get(response)
    if (name === undefined) return
    this.#names.delete(response)
    this.#total--
    const left = (this.#counts.get(name) ?? 1) - 1
    if (left > 0) this.#counts.set(name, left)
    else this.#counts.delete(name)
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
