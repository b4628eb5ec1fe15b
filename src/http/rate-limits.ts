// How much one client may ask for: requests and bytes, each from a vessel that holds as much as a
// window allows and is refilled evenly.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { Client } from './clients.ts'

/** In one window; 0 is no limit. */
export interface Allowance {
  readonly requests: number
  /** Of requests and answers together. */
  readonly bytes: number
}

export interface RateLimitOptions {
  readonly windowMs: number
  readonly address: Allowance
  readonly key: Allowance
  /** Whether they hold for callers of this machine too. */
  readonly loopback: boolean
}

interface Vessel {
  requests: number
  bytes: number
  atMs: number
}

/** Clients that are told apart; the ones that were quiet longest begin anew. */
const CLIENTS_MAX = 50_000

export function isLimited({ address, key }: RateLimitOptions): boolean {
  return [address, key].some(({ requests, bytes }) => requests > 0 || bytes > 0)
}

export interface RateLimitParts {
  readonly clock: Pick<Clock, 'monotonicMs'>
}

export class RateLimits {
  readonly #parts: RateLimitParts
  readonly #options: RateLimitOptions
  readonly #vessels = new LRUCache<string, Vessel>({ max: CLIENTS_MAX })

  constructor(parts: RateLimitParts, options: RateLimitOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** Counts the request, and says on the answer what is left. Throws TOO_MANY_REQUESTS. */
  admit({ socket }: IncomingMessage, response: ServerResponse, { name, hasKey }: Client): void {
    const allowance = hasKey ? this.#options.key : this.#options.address
    if (allowance.requests === 0 && allowance.bytes === 0) return
    const vessel = this.#vessel(name, allowance)
    const waitMs = this.#waitMs(vessel, allowance)
    this.#tell(response, vessel, allowance)
    if (waitMs > 0) {
      const sentence = `Too much was asked for from here. Come again in ${Math.ceil(waitMs / 1000)} seconds.`
      throw new NodeError('TOO_MANY_REQUESTS', sentence, { retryAfterMs: waitMs })
    }
    vessel.requests--
    if (allowance.bytes === 0) return
    const before = socket.bytesRead + socket.bytesWritten
    response.once('close', () => {
      const after = socket.bytesRead + socket.bytesWritten
      this.#vessel(name, allowance).bytes -= Math.max(0, after - before)
    })
  }

  #vessel(client: string, { requests, bytes }: Allowance): Vessel {
    const nowMs = this.#parts.clock.monotonicMs()
    const vessel = this.#vessels.get(client)
    if (vessel === undefined) {
      const full = { requests, bytes, atMs: nowMs }
      this.#vessels.set(client, full)
      return full
    }
    const share = (nowMs - vessel.atMs) / this.#options.windowMs
    vessel.requests = Math.min(requests, vessel.requests + share * requests)
    vessel.bytes = Math.min(bytes, vessel.bytes + share * bytes)
    vessel.atMs = nowMs
    return vessel
  }

  /** Until the next request may come; an answer may take more bytes than there were. */
  #waitMs(vessel: Vessel, { requests, bytes }: Allowance): number {
    const { windowMs } = this.#options
    const forRequests = requests > 0 ? ((1 - vessel.requests) / requests) * windowMs : 0
    const forBytes = bytes > 0 && vessel.bytes <= 0 ? ((1 - vessel.bytes) / bytes) * windowMs : 0
    return Math.max(0, forRequests, forBytes)
  }

  #tell(response: ServerResponse, vessel: Vessel, { requests }: Allowance): void {
    if (requests === 0) return
    const left = Math.max(0, Math.floor(vessel.requests) - 1)
    const fullMs = ((requests - left) / requests) * this.#options.windowMs
    response.setHeader('RateLimit-Limit', requests)
    response.setHeader('RateLimit-Remaining', left)
    response.setHeader('RateLimit-Reset', Math.ceil(fullMs / 1000))
  }
}
