import { expect, test } from 'vitest'
import { z } from 'zod'
import { WireError, type WireFault } from '../../../protocols/wire-error.ts'
import { saidAs } from '../../../src/base/cause.ts'
import { ERROR_KINDS, type ErrorCode, NodeError } from '../../../src/base/errors.ts'
import { errorBody } from '../../../src/http/error-body.ts'

const always = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }

test.each(Object.keys(ERROR_KINDS) as ErrorCode[])('%s', (code) => {
  const { status, body, headers } = errorBody(new NodeError(code, 'What happened.'))
  expect(status).toBe(ERROR_KINDS[code].http)
  expect(body.code).toBe(code)
  if (code !== 'VALIDATION') expect(body.detail).toBe('What happened.')
  expect(headers).toMatchObject(always)
  expect('WWW-Authenticate' in headers).toBe(status === 401)
  expect('Retry-After' in headers).toBe(status === 503 || status === 429)
})

test('a key is asked for as Bearer', () => {
  const { headers } = errorBody(new NodeError('UNAUTHORIZED', 'x'))
  expect(headers).toEqual({ ...always, 'WWW-Authenticate': 'Bearer' })
})

test.each<[unknown, string]>([
  [undefined, '5'],
  [1, '1'],
  [10_001, '11'],
  ['soon', '5']
])('with details.retryAfterMs %j clients come again after %s s', (retryAfterMs, seconds) => {
  const { headers } = errorBody(new NodeError('BUSY', 'x', { retryAfterMs }))
  expect(headers['Retry-After']).toBe(seconds)
})

test.each<[WireFault, number, string]>([
  ['BAD_PATH', 422, 'BAD_PATH'],
  ['BAD_HASH', 400, 'BAD_HASH'],
  ['BAD_CID', 400, 'BAD_HASH'],
  ['BAD_VERSION', 400, 'BAD_REQUEST'],
  ['BAD_ENTRY', 400, 'BAD_REQUEST'],
  ['BAD_INVITE', 400, 'BAD_INVITE'],
  ['TOO_LARGE', 400, 'BAD_REQUEST']
])('text that is no path, hash …: %s', (fault, status, code) => {
  const answer = errorBody(new WireError(fault, 'the text has "x"'))
  const detail = expect.stringMatching(/^The text has "x"\. [A-Z].*\.$/)
  const word = code === 'BAD_REQUEST' && { cause: { code: 'request_broken', details: {} } }
  expect(answer).toEqual({ status, body: { detail, code, ...word }, headers: always })
})

test('the word of a sentence is told with what fills it, and no other detail', () => {
  const details = { folder: '/srv', ...saidAs('no_room', { size: '1 MB' }) }
  const cause = { code: 'no_room', details: { size: '1 MB' } }
  const full = errorBody(new NodeError('DISK_FULL', 'No room.', details))
  expect(full.body).toEqual({ detail: 'No room.', code: 'DISK_FULL', cause })
  const { body } = errorBody(
    new NodeError('VALIDATION', 'Too many.', { place: 'body', ...details })
  )
  const issue = { loc: ['body'], msg: 'Too many.', type: 'value_error' }
  expect(body).toEqual({ detail: [issue], code: 'VALIDATION', cause })
})

const zodError = z
  .object({ list: z.array(z.object({ n: z.number() })) })
  .safeParse({ list: [{ n: 1 }, { n: 'x' }] }).error

test('validation by zod', () => {
  const { status, body } = errorBody(zodError)
  expect(status).toBe(422)
  const msg = 'Invalid input: expected number, received string'
  expect(body).toEqual({
    detail: [{ loc: ['list', 1, 'n'], msg, type: 'invalid_type' }],
    code: 'VALIDATION'
  })
})

test('validation by zod, with the place', () => {
  const error = new NodeError('VALIDATION', 'x', { place: 'query' }, { cause: zodError })
  expect(errorBody(error).body.detail).toMatchObject([{ loc: ['query', 'list', 1, 'n'] }])
})

test('validation by hand', () => {
  const error = new NodeError('VALIDATION', '"limit" must be a number.', { place: 'query' })
  expect(errorBody(error).body.detail).toEqual([
    { loc: ['query'], msg: '"limit" must be a number.', type: 'value_error' }
  ])
})

const refusal = (more: object) =>
  Object.assign(new Error('refused'), { code: 'FST_ERR_X', ...more })

test('validation by the framework', () => {
  const issue = { keyword: 'invalid_type', instancePath: '/list/1', message: 'Expected number' }
  const error = refusal({ statusCode: 400, validation: [issue], validationContext: 'querystring' })
  expect(errorBody(error)).toMatchObject({
    status: 422,
    body: {
      detail: [{ loc: ['query', 'list', '1'], msg: 'Expected number', type: 'invalid_type' }]
    }
  })
})

test.each<[number, string]>([
  [400, 'BAD_REQUEST'],
  [404, 'NOT_FOUND'],
  [413, 'BLOB_TOO_LARGE'],
  [415, 'BAD_REQUEST']
])('a refusal of the framework: %s', (statusCode, code) => {
  const answer = errorBody(refusal({ statusCode }))
  expect(answer).toMatchObject({ status: statusCode, body: { detail: 'refused', code } })
})

test.each<[string, unknown]>([
  ['an error of a library', Object.assign(new Error('/secret/path'), { statusCode: 404 })],
  ['a fault of the framework', refusal({ statusCode: 500, message: '/secret/path' })],
  ['a text', '/secret/path'],
  ['nothing', undefined],
  ['null', null]
])('%s tells nothing of itself', (_, error) => {
  const answer = errorBody(error)
  expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL' }, headers: always })
  expect(JSON.stringify(answer)).not.toContain('secret')
})
