import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  type ApiText,
  operationsText,
  type Schema,
  typeOf
} from '../../../scripts/client-reference.ts'
import { describedApi } from '../../support/described-api.ts'

test('the types of the client are those of the routes', async () => {
  const file = new URL('../../../src/client/operations-generated.ts', import.meta.url)
  const remedy = 'is stale: run `npm run client-reference`'
  expect(readFileSync(file, 'utf8'), `${file.pathname} ${remedy}`).toBe(
    operationsText(await describedApi())
  )
})

test.each<[string, Schema]>([
  ['unknown', {}],
  ['string | null', { type: ['string', 'null'] }],
  ["'a' | 'it\\'s'", { type: 'string', enum: ['a', "it's"] }],
  ['true', { type: 'boolean', const: true }],
  ['number | string', { anyOf: [{ type: 'integer' }, { type: 'string' }, { type: 'number' }] }],
  ['readonly string[]', { type: 'array', items: { type: 'string' } }],
  ['ReadonlyArray<string | null>', { type: 'array', items: { type: ['string', 'null'] } }],
  [
    'Readonly<Record<string, number>>',
    { type: 'object', additionalProperties: { type: 'number' } }
  ],
  [
    "{\n  readonly a: string\n  readonly 'b-c'?: number | undefined\n}",
    {
      type: 'object',
      properties: { a: { type: 'string' }, 'b-c': { type: 'number' } },
      required: ['a']
    }
  ]
])('%s', (type, schema) => expect(typeOf(schema, 0)).toBe(type))

test('an answer that no type is known for is not passed over', () => {
  const schema = { allOf: [] } as Schema
  const api: ApiText = {
    paths: {
      '/x': {
        get: {
          summary: 'X',
          parameters: [],
          responses: { 200: { content: { 'application/json': { schema } } } }
        }
      }
    }
  }
  expect(() => operationsText(api)).toThrow('"allOf"')
})
