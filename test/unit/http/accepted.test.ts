import { expect, test } from 'vitest'
import { asksFor } from '../../../src/http/accepted.ts'

test.each<[string | undefined, boolean]>([
  [undefined, false],
  ['*/*', false],
  ['application/json', false],
  ['application/x-ndjson', true],
  ['Application/X-NDJSON; charset=utf-8', true],
  ['application/json, application/x-ndjson', true],
  ['application/x-ndjson;q=0.5, */*;q=0.1', true],
  ['application/json, application/x-ndjson;q=0.1', false],
  ['application/json;q=0.2, application/x-ndjson; Q=0.4', true],
  ['application/x-ndjson;q=0', false],
  ['application/x-ndjson;q=2', false]
])('Accept %j', (header, isAsked) => {
  expect(asksFor(header, 'application/x-ndjson', 'application/json')).toBe(isAsked)
})
