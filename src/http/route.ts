// What a route is: data plus one function. The table of routes is the server, the guard's list and
// the API page at once.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ZodType } from 'zod'
import type { Access, Who } from './plan-access.ts'

export interface ApiRequest {
  readonly raw: FastifyRequest['raw']
  readonly headers: FastifyRequest['headers']
  /** Parsed by the route's own schemas; `path` parameters are decoded once. */
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  /** As whom the caller was let in, and whether it may see other servers. */
  readonly access: Access
  /** Aborted when the client goes away or the node stops. */
  readonly signal: AbortSignal
  readonly fastify: FastifyRequest
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** In the framework's notation: `:name`, and `*` for the rest of the path. */
  readonly url: string
  readonly who: Who
  readonly tag: 'documented' | 'images' | 'operations'
  readonly summary: string
  readonly params?: ZodType
  readonly query?: ZodType
  readonly body?: ZodType
  /** `raw`: the handler reads the request's stream itself (uploads). */
  readonly bodyKind?: 'json' | 'raw' | 'multipart'
  /** Status codes and what they mean; shapes as zod, for the API page (never used to serialise). */
  readonly answers: Readonly<Record<number, { readonly means: string; readonly shape?: ZodType }>>
  /** The answer's body, or undefined if the handler has answered through `reply` itself. */
  readonly handle: (request: ApiRequest, reply: FastifyReply) => Promise<unknown>
}
