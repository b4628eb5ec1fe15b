import type { IncomingHttpHeaders } from 'node:http'
import { describe, expect, test } from 'vitest'
import { planConditional } from '../../../src/http/conditional.ts'

const etag = '"0123"'
const modifiedMs = Date.UTC(2022, 0, 1, 12, 0, 0, 500)
const current = { etag, modifiedMs }
const same = 'Sat, 01 Jan 2022 12:00:00 GMT'
const before = 'Sat, 01 Jan 2022 11:59:59 GMT'
const after = 'Sat, 01 Jan 2022 12:00:01 GMT'

const plan = (headers: IncomingHttpHeaders, method = 'GET') =>
  planConditional(method, headers, current)

const send = 'send'
const stale = 'precondition-failed'
const fresh = 'not-modified'

describe.each<[string, IncomingHttpHeaders, string]>([
  ['nothing', {}, send],

  ['If-Match: the tag', { 'if-match': etag }, send],
  ['If-Match: *', { 'if-match': '*' }, send],
  ['If-Match: a list', { 'if-match': `"x", ${etag}` }, send],
  ['If-Match: another', { 'if-match': '"x"' }, stale],
  ['If-Match: weak', { 'if-match': `W/${etag}` }, stale],
  ['If-Match: without quotes', { 'if-match': '0123' }, stale],
  ['If-Match: empty', { 'if-match': '' }, stale],

  ['If-Unmodified-Since: same', { 'if-unmodified-since': same }, send],
  ['If-Unmodified-Since: later', { 'if-unmodified-since': after }, send],
  ['If-Unmodified-Since: earlier', { 'if-unmodified-since': before }, stale],
  ['If-Unmodified-Since: no date', { 'if-unmodified-since': '2021' }, send],
  ['If-Match over its date', { 'if-match': etag, 'if-unmodified-since': before }, send],

  ['If-None-Match: the tag', { 'if-none-match': etag }, fresh],
  ['If-None-Match: weak', { 'if-none-match': `W/${etag}` }, fresh],
  ['If-None-Match: *', { 'if-none-match': ' * ' }, fresh],
  ['If-None-Match: a list', { 'if-none-match': `"a,b" ,W/"c",${etag}` }, fresh],
  ['If-None-Match: another', { 'if-none-match': '"x"' }, send],
  ['If-None-Match: inside another', { 'if-none-match': '"x,0123,y"' }, send],
  [
    'and no-cache, which asks to ask',
    { 'if-none-match': etag, 'cache-control': 'no-cache' },
    fresh
  ],

  ['If-Modified-Since: same', { 'if-modified-since': same }, fresh],
  ['If-Modified-Since: later', { 'if-modified-since': after }, fresh],
  ['If-Modified-Since: earlier', { 'if-modified-since': before }, send],
  ['an old form of date', { 'if-modified-since': 'Saturday, 01-Jan-22 12:00:00 GMT' }, fresh],
  ['the form of asctime', { 'if-modified-since': 'Sat Jan  1 12:00:00 2022' }, fresh],
  ['a form of no standard', { 'if-modified-since': '2030-01-01T00:00:00Z' }, send],
  ['a day that is none', { 'if-modified-since': 'Sat, 99 Xyz 2022 12:00:00 GMT' }, send],
  ['If-None-Match over its date', { 'if-none-match': '"x"', 'if-modified-since': after }, send],

  ['If-Match first', { 'if-match': '"x"', 'if-none-match': etag }, stale],
  ['both hold', { 'if-match': etag, 'if-none-match': etag }, fresh],
  ['date first', { 'if-unmodified-since': before, 'if-modified-since': same }, stale]
])('%s', (_, headers, answer) => {
  test('GET and HEAD', () => {
    expect(plan(headers).answer).toBe(answer)
    expect(plan(headers, 'HEAD').answer).toBe(answer)
  })
})

test.each<[string, string | undefined, boolean]>([
  ['none', undefined, true],
  ['the tag', etag, true],
  ['another tag', '"x"', false],
  ['the weak tag', `W/${etag}`, false],
  ['the date', same, false],
  ['a list', `${etag}, "x"`, false]
])('a Range counts with If-Range %s: %s -> %s', (_, ifRange, counts) => {
  const headers = ifRange === undefined ? {} : { 'if-range': ifRange }
  expect(plan(headers).rangeCounts).toBe(counts)
})

test('a Range means nothing but for GET', () => {
  expect(plan({}, 'HEAD').rangeCounts).toBe(false)
})

test('PUT: If-None-Match: * writes only what is new, If-Match only what is known', () => {
  expect(plan({ 'if-none-match': '*' }, 'PUT').answer).toBe(stale)
  expect(planConditional('PUT', { 'if-none-match': '*' }, undefined).answer).toBe(send)
  expect(planConditional('PUT', { 'if-match': '*' }, undefined).answer).toBe(stale)
  expect(plan({ 'if-match': etag }, 'PUT').answer).toBe(send)
  expect(plan({ 'if-match': '"x"' }, 'PUT').answer).toBe(stale)
  expect(plan({ 'if-modified-since': same }, 'PUT').answer).toBe(send)
})
