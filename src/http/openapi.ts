// The API page: OpenAPI 3.1 from the route table. The table says it all, so this only translates.

import { z } from 'zod'
import type { Route } from './route.ts'

type Json = Readonly<Record<string, unknown>>

const ERROR = { $ref: '#/components/schemas/Error' }
const MULTIPART = 'multipart/form-data'

/** `version` is that of the program. */
export function describeApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes) {
    const { url, names } = openApiPath(route.url)
    paths[url] = { ...paths[url], [route.method.toLowerCase()]: operation(route, names) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tumesh',
      version,
      description:
        'x-who says who may call: anyone; public (unless http.read is "key"); read, write or admin with a key of ' +
        'that scope, or without one from a program of the same user on the same machine.'
    },
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: errorSchema() }
    }
  }
}

/** `/images/*` becomes `/images/{path}`, `/blobs/:hash` becomes `/blobs/{hash}`. */
function openApiPath(url: string): { url: string; names: string[] } {
  const names: string[] = []
  const named = url.replace(/:(\w+)|\*/g, (_, name = 'path') => {
    names.push(name)
    return `{${name}}`
  })
  return { url: named, names }
}

function operation(route: Route, pathNames: readonly string[]): Json {
  const { who, tag, summary } = route
  return {
    tags: [tag],
    summary,
    'x-who': who,
    security: securityOf(route),
    parameters: [...pathNames.map(pathParameter), ...queryParameters(route)],
    ...requestBody(route),
    responses: responsesOf(route)
  }
}

/** `{}` means "or without": what the caller must fulfil then is in the description. */
function securityOf({ who }: Route): Json[] {
  if (who === 'anyone') return []
  return [{ key: [who === 'public' ? 'read' : who] }, {}]
}

function pathParameter(name: string): Json {
  const path = name === 'path'
  return {
    name,
    in: 'path',
    required: true,
    ...(path && { description: 'May contain "/"' }),
    schema: { type: 'string' }
  }
}

function queryParameters({ query }: Route): Json[] {
  if (query === undefined) return []
  const { properties = {}, required = [] } = schemaOf(query, 'input') as {
    properties?: Record<string, { description?: string }>
    required?: string[]
  }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema
  }))
}

function requestBody({ body, bodyKind = 'json' }: Route): Json {
  if (bodyKind === 'raw') {
    const schema = { type: 'string', format: 'binary' }
    return { requestBody: { required: true, content: { 'application/octet-stream': { schema } } } }
  }
  if (body === undefined) return {}
  const type = bodyKind === 'multipart' ? MULTIPART : 'application/json'
  const required = !body.safeParse(undefined).success
  return { requestBody: { required, content: { [type]: { schema: schemaOf(body, 'input') } } } }
}

function responsesOf({ answers }: Route): Json {
  const responses = Object.entries(answers).map(([status, { means, shape }]) => {
    const schema = shape === undefined ? undefined : schemaOf(shape, 'output')
    const content = schema ?? (Number(status) >= 400 ? ERROR : undefined)
    return [
      status,
      {
        description: means,
        ...(content !== undefined && { content: { 'application/json': { schema: content } } })
      }
    ]
  })
  const any = { description: 'Any refusal', content: { 'application/json': { schema: ERROR } } }
  return { ...Object.fromEntries(responses), default: any }
}

function errorSchema(): Json {
  const issue = z.object({
    loc: z.array(z.union([z.string(), z.int()])),
    msg: z.string(),
    type: z.string()
  })
  const detail = z.union([z.string(), z.array(issue)]).describe('What happened, and what to do')
  const cause = z
    .object({
      code: z.string(),
      details: z.record(z.string(), z.union([z.string(), z.number()]))
    })
    .optional()
    .describe('The sentence of some refusals once more, for programs that translate it')
  return schemaOf(z.object({ detail, code: z.string().describe('Stable'), cause }), 'output')
}

/** What has no counterpart in JSON Schema (transforms) is described as anything. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => describeKind(jsonSchema)
  })
  return rest
}

/** Fields as in the configuration say in words what they take. */
function describeKind(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.kind === 'true or false') schema.type = 'boolean'
  delete schema.kind
}
