// The route table on the web framework: guard, input, handler, answer. Nothing here knows a single
// route.

import type { RequestListener } from 'node:http'
import multipart from '@fastify/multipart'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { ZodType } from 'zod'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { AuditLog } from '../flows/audit.ts'
import { answerFailure, type FailureParts } from './answer-failure.ts'
import { aboutOf, actionOf } from './audit-facts.ts'
import { errorBody } from './error-body.ts'
import type { Guard } from './guard.ts'
import { createServer } from './node-http.ts'
import { allowedAt, type Methods, methodsOf, RARE } from './other-methods.ts'
import type { Access } from './plan-access.ts'
import { isRefusal } from './refusals.ts'
import { askForBody, bodyLength } from './request-body.ts'
import type { ApiRequest, Route } from './route.ts'
import type { ServerTiming } from './server-timing.ts'

export interface ApiParts extends FailureParts {
  readonly guard: Guard
  readonly routes: readonly Route[]
  readonly audit: AuditLog
  /** Hears of every handler that runs, so that a stop can wait for it. */
  readonly track: (work: Promise<unknown>, name: string) => void
  readonly timing: ServerTiming | undefined
}

export interface Api {
  /** Answers a request of the server; only once `ready` has resolved. */
  readonly listener: RequestListener
  ready(): Promise<void>
  close(): Promise<void>
}

/** Lists of paths and the like; images come as streams and have their own limit. */
const JSON_BYTES_MAX = 1024 * 1024
/** Longer than any path in any spelling; the head of a request is bounded anyway. */
const PARAM_LENGTH_MAX = 16 * 1024
/** No route gives the framework a schema; what it checks and writes by them would be loaded. */
const NO_COMPILERS = { buildValidator: noSchema, buildSerializer: noSchema }

declare module 'fastify' {
  interface FastifyRequest {
    access: Access | undefined
  }
  interface FastifyContextConfig {
    route?: Route
    /** Methods that the address has, where it has not this one. */
    allow?: string
  }
}

export function createApi(parts: ApiParts): Api {
  let listener: RequestListener = () => {}
  const app = fastify({
    logger: false,
    bodyLimit: JSON_BYTES_MAX,
    return503OnClosing: false,
    clientErrorHandler: () => {}, // the server's own one answers
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    schemaController: { compilersFactory: NO_COMPILERS },
    serverFactory(handler) {
      listener = handler
      return createServer() // never listens: requests come through the listener
    },
    frameworkErrors: (error, request, reply) => fail(request, reply, error)
  })
  const fail = (request: FastifyRequest, reply: FastifyReply, error: unknown) => {
    reply.hijack()
    answerFailure(parts, request.raw, reply.raw, error)
  }
  for (const method of RARE) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  }
  const methods = methodsOf(parts.routes)
  app.decorateRequest('access', undefined)
  app.setErrorHandler((error, request, reply) => fail(request, reply, error))
  app.setNotFoundHandler((request, reply) => fail(request, reply, nothingHere(request)))
  app.addHook('onRequest', async (request, reply) => {
    const { route } = request.routeOptions.config
    if (route !== undefined) await parts.guard.prepare(request.raw, route.who)
    admit(parts, methods, request, reply)
  })
  addRoutes(app, parts, methods)
  return {
    listener: (request, response) => listener(request, response),
    ready: async () => void (await app.ready()),
    close: () => app.close()
  }
}

/** Before anything of the body is read: does the method exist, may the caller? */
function admit(
  { guard, timing }: ApiParts,
  methods: readonly Methods[],
  request: FastifyRequest,
  reply: FastifyReply
): void {
  const { route, ...config } = request.routeOptions.config
  const isRare = RARE.includes(request.method)
  const allow = isRare ? allowedAt(methods, request.url) : config.allow
  if (allow !== undefined) {
    reply.raw.setHeader('Allow', allow)
    if (request.method === 'OPTIONS') return void reply.code(204).send()
    throw new NodeError(
      'METHOD_NOT_ALLOWED',
      `${request.method} is not possible here. This address answers to ${allow}.`
    )
  }
  if (route === undefined) return
  request.access = guard.check(request.raw, route.who)
  timing?.enter(reply.raw, 'work')
  const type = request.headers['content-type'] ?? ''
  if (route.bodyKind !== 'multipart' || !/^multipart\/form-data\s*;/i.test(type)) {
    // What the type says does not matter for other bodies, and a senseless one is no reason to
    // refuse an empty body.
    delete request.raw.headers['content-type']
  }
}

function noSchema(): never {
  throw new Error('a route has a schema of the framework')
}

function nothingHere({ method, url }: FastifyRequest): NodeError {
  const path = url.split('?', 1)[0]?.slice(0, 200)
  return new NodeError(
    'NOT_FOUND',
    `There is nothing at ${method} ${path}. /openapi.json lists what there is.`,
    saidAs('address_absent', { method, path: path ?? '' })
  )
}

function addRoutes(app: FastifyInstance, parts: ApiParts, methods: readonly Methods[]): void {
  const { routes } = parts
  // Each way to read a body is a scope of its own, since the framework keeps the parsers of bodies
  // by scope.
  app.register(async (scope) => {
    readJsonBodies(scope)
    for (const route of routes) if ((route.bodyKind ?? 'json') === 'json') add(scope, route, parts)
    for (const { url, others: method, allow } of methods) {
      scope.route({ method: [...method], url, config: { allow }, handler: () => {} })
    }
  })
  app.register(async (scope) => {
    await scope.register(multipart, { throwFileSizeLimit: false })
    leaveBodies(scope)
    for (const route of routes) if (route.bodyKind === 'multipart') add(scope, route, parts)
  })
  app.register(async (scope) => {
    leaveBodies(scope)
    for (const route of routes) if (route.bodyKind === 'raw') add(scope, route, parts)
  })
}

function add(scope: FastifyInstance, route: Route, parts: ApiParts): void {
  const { track } = parts
  const action = parts.audit.isOn ? actionOf(route) : undefined
  scope.route({
    method: route.method,
    url: route.url,
    config: { route },
    async handler(request, reply) {
      const asked = apiRequest(route, request, reply)
      const handling = route.handle(asked, reply)
      const work = action === undefined ? handling : noted(parts, action, asked, reply, handling)
      track(work, `${route.method} ${route.url}`)
      const answer = await work
      return answer === undefined ? reply : answer
    }
  })
}

/** Writes down what was done, or refused to somebody who may ask for it. */
async function noted(
  { audit, guard }: ApiParts,
  action: string,
  request: ApiRequest,
  reply: FastifyReply,
  work: Promise<unknown>
): Promise<unknown> {
  const { access, raw } = request
  const nameless = access.as === 'keyless' ? 'this machine' : 'somebody'
  const by = access.key === undefined ? nameless : `key ${access.key}`
  const line = { action, by, from: guard.clientOf(raw) }
  try {
    const answer = await work
    audit.add({ ...line, status: reply.statusCode, about: aboutOf(request, answer) })
    return answer
  } catch (error) {
    // whoever has no key is noted with all others that are turned away
    if (access.as === 'public' && isRefusal(error)) throw error
    audit.add({ ...line, status: errorBody(error).status, about: aboutOf(request, undefined) })
    throw error
  }
}

function apiRequest(route: Route, request: FastifyRequest, reply: FastifyReply): ApiRequest {
  const { access, raw, headers } = request
  if (access === undefined) throw new Error('a request came past the guard')
  const json = (route.bodyKind ?? 'json') === 'json'
  return {
    raw,
    headers,
    params: parseInput(route.params, request.params, 'path'),
    query: parseInput(route.query, request.query, 'query'),
    body: json ? parseInput(route.body, request.body, 'body') : undefined,
    access,
    signal: signalOf(reply),
    fastify: request
  }
}

/** Throws VALIDATION. */
function parseInput(schema: ZodType | undefined, value: unknown, place: string): unknown {
  if (schema === undefined) return value
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const sentence = `The ${place} of the request is not valid.`
  throw new NodeError('VALIDATION', sentence, { place }, { cause: result.error })
}

function signalOf({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => {
    if (raw.writableFinished) return
    gone.abort(new NodeError('UPLOAD_ABORTED', 'The client went away before it was answered.'))
  })
  return gone.signal
}

function readJsonBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addHook('preParsing', async ({ raw }, reply) => {
    if ((bodyLength(raw) ?? 0) > JSON_BYTES_MAX) throw tooLong()
    askForBody(raw, reply.raw)
  })
  scope.addContentTypeParser(
    '*',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) => {
      if (body.byteLength === 0) return undefined
      try {
        return JSON.parse(body.toString())
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : ''
        const said = saidAs('body_no_json')
        throw new NodeError('BAD_REQUEST', `The body is not JSON: ${why}.`, said, { cause })
      }
    }
  )
}

function tooLong(): NodeError {
  const sentence = `The body of this request may have ${JSON_BYTES_MAX} bytes at most. Send less at a time.`
  return new NodeError('BLOB_TOO_LARGE', sentence)
}

/** The handler reads the stream itself. */
function leaveBodies(scope: FastifyInstance): void {
  scope.removeContentTypeParser(['application/json', 'text/plain'])
  scope.addContentTypeParser('*', async () => undefined)
}
