// A server made of a few routes, without guard and API page: what a route itself does with a
// request.

import Fastify, { type FastifyInstance } from 'fastify'
import { errorBody } from '../../src/http/error-body.ts'
import type { Access } from '../../src/http/plan-access.ts'
import type { Route } from '../../src/http/route.ts'

const ALL: Access = { as: 'keyless', sees: 'all' }

export function serveRoutes(routes: readonly Route[], access: Access = ALL): FastifyInstance {
  const server = Fastify({ logger: false, routerOptions: { maxParamLength: 5000 } })
  server.setErrorHandler((error, _request, reply) => {
    const { status, body, headers } = errorBody(error)
    reply.code(status).headers(headers).send(body)
  })
  for (const route of routes) {
    server.route({
      method: route.method,
      url: route.url,
      async handler(request, reply) {
        const left = new AbortController()
        reply.raw.once('close', () => left.abort())
        const body = await route.handle(
          {
            raw: request.raw,
            headers: request.headers,
            params: route.params?.parse(request.params),
            query: route.query?.parse(request.query),
            body: route.body?.parse(request.body),
            access,
            signal: left.signal,
            fastify: request
          },
          reply
        )
        return body === undefined ? reply : body
      }
    })
  }
  return server
}
