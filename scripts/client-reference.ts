// Writes src/client/operations-generated.ts, what each call of the HTTP interface takes and
// answers, from the description that a node gives of itself: node scripts/client-reference.ts

import { writeFileSync } from 'node:fs'

/** As much of JSON Schema as the routes use. Limits of values are for the node to check. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required: boolean
  readonly schema: Schema
}

interface OperationText {
  readonly summary: string
  readonly parameters: readonly Parameter[]
  readonly requestBody?: Content & { readonly required: boolean }
  readonly responses: Readonly<Record<string, Content>>
}

/** As much of `/openapi.json` as a client needs. */
export interface ApiText {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationText>>>>
}

const KNOWN = new Set([
  ...['$ref', 'type', 'const', 'enum', 'anyOf', 'items', 'properties', 'required'],
  ...['additionalProperties', 'propertyNames', 'description', 'default', 'format', 'pattern'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'contentEncoding']
])
const JSON_TYPE = 'application/json'

const INTRODUCTION = `// What each call of the HTTP interface takes and answers, by its method and address. Written by
// scripts/client-reference.ts from /openapi.json; change the routes, not this file.

`

/** The whole file. Throws where a route is described by what no type is known for. */
export function operationsText({ paths }: ApiText): string {
  const operations = Object.entries(paths).flatMap(([url, methods]) =>
    Object.entries(methods).map(([method, one]) => {
      const name = `${method.toUpperCase()} ${url}`
      return `  /** ${one.summary}. */\n  readonly ${quoted(name)}: ${operationType(one)}\n`
    })
  )
  const keys = Object.entries(paths).flatMap(([url, methods]) =>
    Object.entries(methods).flatMap(([method, one]) => {
      const always = keysOfAnswer(one)
      if (always.length === 0) return []
      const name = quoted(`${method.toUpperCase()} ${url}`)
      return `  ${name}:\n    ${quoted(always.join(' '))}`
    })
  )
  return (
    `${INTRODUCTION}export interface Operations {\n${operations.join('')}}\n\n` +
    '/** What every good answer of a call has, where that is an object. */\n' +
    `export const ANSWER_KEYS: Readonly<Record<string, string>> = {\n${keys.join(',\n')}\n}\n`
  )
}

/** Those that all good answers have. */
function keysOfAnswer({ responses }: OperationText): readonly string[] {
  const [first = [], ...others] = answersOf(responses)
    .flatMap((schema) => schema.anyOf ?? schema)
    .map(({ required = [] }) => required)
  return first.filter((key) => others.every((one) => one.includes(key)))
}

function answersOf(responses: OperationText['responses']): readonly Schema[] {
  return Object.entries(responses)
    .filter(([status]) => Number(status) < 400)
    .flatMap(([, { content }]) => content?.[JSON_TYPE]?.schema ?? [])
}

function operationType({ parameters, requestBody, responses }: OperationText): string {
  const answers = answersOf(responses)
  const body = requestBody?.content?.[JSON_TYPE]?.schema
  const fields = [
    parametersField(parameters, 'path'),
    parametersField(parameters, 'query'),
    body === undefined
      ? 'readonly body?: undefined'
      : fieldOf('body', typeOf(body, 2), requestBody?.required ?? false),
    `readonly answer: ${answers.length === 0 ? 'undefined' : unionOf(answers, 2)}`
  ]
  return `{\n${fields.map((field) => `    ${field}\n`).join('')}  }`
}

function parametersField(parameters: readonly Parameter[], place: 'path' | 'query'): string {
  const there = parameters.filter((one) => one.in === place)
  if (there.length === 0) return `readonly ${place}?: undefined`
  const schema = {
    type: 'object',
    properties: Object.fromEntries(there.map(({ name, schema }) => [name, schema])),
    required: there.filter(({ required }) => required).map(({ name }) => name)
  }
  return fieldOf(place, typeOf(schema, 2), schema.required.length > 0)
}

/** `depth` is that of the line on which the type begins. */
export function typeOf(schema: Schema, depth: number): string {
  const unknown = Object.keys(schema).find((keyword) => !KNOWN.has(keyword))
  if (unknown !== undefined) throw new Error(`There is no type for the keyword "${unknown}".`)
  const { $ref, anyOf, type } = schema
  if ($ref !== undefined) throw new Error(`There is no type for ${$ref}.`)
  if (anyOf !== undefined) return unionOf(anyOf, depth)
  if ('const' in schema) return literal(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ')
  if (Array.isArray(type)) {
    const each = type.map((one: string) => ({ ...schema, type: one }))
    return unionOf(each, depth)
  }
  switch (type) {
    case 'object':
      return objectType(schema, depth)
    case 'array': {
      const item = typeOf(schema.items ?? {}, depth)
      return /^\w+$/.test(item) ? `readonly ${item}[]` : `ReadonlyArray<${item}>`
    }
    case 'integer':
      return 'number'
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return type
    case undefined:
      return 'unknown'
    default:
      throw new Error(`There is no type for "${type}".`)
  }
}

function objectType({ properties, required, additionalProperties }: Schema, depth: number): string {
  if (properties === undefined) {
    const value = typeof additionalProperties === 'object' ? additionalProperties : {}
    return `Readonly<Record<string, ${typeOf(value, depth)}>>`
  }
  const indent = '  '.repeat(depth + 1)
  const fields = Object.entries(properties).map(([name, schema]) => {
    const isRequired = required?.includes(name) ?? false
    return `${indent}${fieldOf(quotedIfNeeded(name), typeOf(schema, depth + 1), isRequired)}\n`
  })
  return fields.length === 0 ? 'object' : `{\n${fields.join('')}${'  '.repeat(depth)}}`
}

/** What is the same several times is said once. */
function unionOf(schemas: readonly Schema[], depth: number): string {
  return [...new Set(schemas.map((schema) => typeOf(schema, depth)))].join(' | ')
}

function fieldOf(name: string, type: string, isRequired: boolean): string {
  return isRequired ? `readonly ${name}: ${type}` : `readonly ${name}?: ${type} | undefined`
}

function literal(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : JSON.stringify(value)
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

function quotedIfNeeded(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : quoted(name)
}

if (import.meta.main) {
  const { describedApi } = await import('../test/support/described-api.ts')
  const file = new URL('../src/client/operations-generated.ts', import.meta.url)
  writeFileSync(file, operationsText(await describedApi()))
}
