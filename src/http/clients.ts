// Who a client is, for limits: a key, or an address without one. Who has an address of IPv6 has as
// many as he likes of that network, so that is one client.

import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Log } from '../base/log.ts'
import type { Guard } from './guard.ts'
import { addressOf, forwardingHeaderOf, isLoopback } from './plan-access.ts'

export interface Client {
  /** The same for all requests of one client, and of no other. */
  readonly name: string
  readonly hasKey: boolean
}

export interface ClientsParts {
  readonly log: Log
  readonly guard: Pick<Guard, 'clientOf' | 'keyOf'>
}

/** Probes of health come from whoever watches, as often as he likes. */
const FREE = ['/healthz', '/readyz']

export class Clients {
  readonly #parts: ClientsParts
  readonly #loopback: boolean
  #hasWarned = false

  /** `loopback`: whether programs of this machine are limited, too. */
  constructor(parts: ClientsParts, { loopback }: { readonly loopback: boolean }) {
    this.#parts = parts
    this.#loopback = loopback
  }

  /** Undefined for what no limits hold for. */
  clientOf(request: IncomingMessage): Client | undefined {
    if (FREE.includes(request.url ?? '') || this.#isFree(request)) return undefined
    const { guard } = this.#parts
    const key = guard.keyOf(request)
    if (key !== undefined) return { name: `key ${key}`, hasKey: true }
    return { name: networkOf(guard.clientOf(request)), hasKey: false }
  }

  #isFree(request: IncomingMessage): boolean {
    const { socket, headers } = request
    if (this.#loopback || !isLoopback(addressOf(socket.remoteAddress))) return false
    if (headers['x-forwarded-for'] === undefined) {
      return forwardingHeaderOf(Object.keys(headers)) === undefined || this.#isUnnamed()
    }
    return isLoopback(this.#parts.guard.clientOf(request)) && this.#isUnnamed()
  }

  /** All readers behind a proxy that nobody has named would share one limit. */
  #isUnnamed(): boolean {
    if (!this.#hasWarned) {
      this.#hasWarned = true
      this.#parts.log.warn(
        'A proxy on this machine is not among http.trusted_proxies: what comes through it is not limited.'
      )
    }
    return true
  }
}

function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail = ''] = address.split('::')
  const groups = head.split(':').filter(Boolean)
  const last = tail.split(':').filter(Boolean)
  const zeros = Array(Math.max(0, 8 - groups.length - last.length)).fill('0')
  return [...groups, ...(address.includes('::') ? zeros : []), ...last].slice(0, 4).join(':')
}
