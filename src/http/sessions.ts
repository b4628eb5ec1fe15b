// Who has logged in on the page: a cookie that no script can read stands for a key. The key is
// looked up at each request, so one that was revoked opens nothing from then on.

import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { Clock, Random } from '../base/clock.ts'
import { invariant } from '../base/errors.ts'

export const SESSION_COOKIE = 'tumesh_session'
const SESSION_MS = 12 * 3_600_000
const SESSIONS_MAX = 10_000
const TOKEN_BYTES = 32

interface Session {
  readonly bearer: string
  readonly endsMs: number
}

export class Sessions {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #random: Random
  readonly #sessions = new LRUCache<string, Session>({ max: SESSIONS_MAX })

  constructor(parts: { readonly clock: Pick<Clock, 'monotonicMs'>; readonly random: Random }) {
    this.#clock = parts.clock
    this.#random = parts.random
  }

  /** The value of the header Set-Cookie. */
  begin(bearer: string, { isSecure }: { readonly isSecure: boolean }): string {
    const token = Buffer.from(this.#random.bytes(TOKEN_BYTES)).toString('base64url')
    invariant(token.length === 43, 'a session has a long token')
    this.#sessions.set(token, { bearer, endsMs: this.#clock.monotonicMs() + SESSION_MS })
    return cookie(token, SESSION_MS / 1000, isSecure)
  }

  /** The key that a request has logged in with. */
  bearerOf(request: Pick<IncomingMessage, 'headers'>): string | undefined {
    const token = tokenOf(request)
    const session = token === undefined ? undefined : this.#sessions.get(token)
    if (session === undefined || token === undefined) return undefined
    if (session.endsMs > this.#clock.monotonicMs()) return session.bearer
    this.#sessions.delete(token)
    return undefined
  }

  /** The value of the header Set-Cookie. */
  end(request: Pick<IncomingMessage, 'headers'>, { isSecure }: { readonly isSecure: boolean }) {
    const token = tokenOf(request)
    if (token !== undefined) this.#sessions.delete(token)
    return cookie('', 0, isSecure)
  }
}

function cookie(value: string, seconds: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : ''
  return `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`
}

function tokenOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const { cookie } = headers
  if (cookie === undefined || !cookie.includes(SESSION_COOKIE)) return undefined
  return /(?:^|;\s*)tumesh_session=([A-Za-z0-9_-]{43})(?:;|$)/.exec(cookie)?.[1]
}

/**
 * Whether a request that a cookie speaks for comes from this server's own page. A browser says so
 * itself; behind a proxy the scheme that it sees may be another one.
 */
export function isFromOwnPage({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin, host } = headers
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false
  return new URL(origin).host === host.toLowerCase()
}
