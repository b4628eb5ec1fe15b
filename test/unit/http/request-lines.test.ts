import { expect, test } from 'vitest'
import {
  isLikelyRead,
  isOneRequest,
  REQUEST_BYTES_MAX,
  RequestLines
} from '../../../src/http/request-lines.ts'

const [A, B] = [`"${'a'.repeat(64)}"`, `"${'b'.repeat(64)}"`]
const DATE = 'Sat, 03 Feb 2024 00:00:00 GMT'
const LATER = 'Sun, 04 Feb 2024 00:00:01 GMT'
const text = (url: string, lines = '', method = 'GET') =>
  `${method} ${url} HTTP/1.1\r\nHost: a\r\n${lines}Accept: */*\r\n\r\n`

/** Of the lines as the platform would have read them. */
function linesOf(lines: string, headers: Record<string, string> = {}, method = 'GET') {
  const request = { method, url: '/images/1', headers: { host: 'a', accept: '*/*', ...headers } }
  return RequestLines.of(text('/images/1', lines, method), request)
}

test('the same lines ask for another image', () => {
  const lines = linesOf('')
  expect(lines?.isConditional).toBe(false)
  expect(lines?.read(text('/images/22'))).toEqual({ method: 'GET', url: '/images/22' })
  for (const other of [
    text('/images/22', 'X: y\r\n'),
    text('/images/22', '', 'HEAD'),
    text('/images/22', '', 'get'),
    text('*'),
    text('/images/22').slice(1),
    'GET /'
  ]) {
    expect(lines?.read(other), other).toBeUndefined()
  }
  expect(linesOf('', {}, 'HEAD')?.read(text('/x', '', 'HEAD'))?.method).toBe('HEAD')
})

test.each([
  ['alone', `If-None-Match: ${A}\r\n`, `If-None-Match: ${B}\r\n`],
  ['weak', `if-none-match:\t W/${A} \r\n`, `if-none-match:\t W/${B} \r\n`],
  [
    'with a date after it',
    `If-None-Match: ${A}\r\nX: ${A}\r\nIf-Modified-Since: ${DATE}\r\n`,
    `If-None-Match: ${B}\r\nX: ${A}\r\nIf-Modified-Since: ${LATER}\r\n`
  ],
  [
    'with a date before it',
    `If-Modified-Since: ${DATE}\r\nIf-None-Match: ${A}\r\n`,
    `If-Modified-Since: ${LATER}\r\nIf-None-Match: ${B}\r\n`
  ]
])('a tag %s may be that of another image', (_where, one, another) => {
  const tag = one.includes('W/') ? `W/${A}` : A
  const lines = linesOf(one, { 'if-none-match': tag })
  expect(lines?.isConditional).toBe(true)
  const expected = { method: 'GET', url: '/images/22', etag: B }
  expect(lines?.read(text('/images/22', another))).toEqual(expected)
  for (const other of [
    ...['', one.replace(A, '"a"'), `X: y\r\n${another}`, another.replace('atch: ', 'atch:  ')],
    another.replace(LATER, LATER.replace('GMT', 'UTC')).replace('W/', 'w/')
  ]) {
    if (other !== another) expect(lines?.read(text('/images/22', other)), other).toBeUndefined()
  }
})

test('what is in the place of the tag is left to whoever knows the right one', () => {
  const lines = linesOf(`If-None-Match: ${A}\r\n`, { 'if-none-match': A })
  const other = `"${'b'.repeat(60)}\r\nX: `
  const read = lines?.read(text('/images/22', `If-None-Match: ${other}"\r\n`))
  expect(read?.etag).not.toBe(A)
})

test.each([
  ['a part', {}, 'range'],
  ['a condition of another kind', {}, 'if-match'],
  ['a date alone', {}, 'if-modified-since'],
  ['a key', {}, 'authorization'],
  ['a session', {}, 'cookie'],
  ['any tag', { 'if-none-match': '*' }, 'x'],
  ['several tags', { 'if-none-match': `${A}, ${B}` }, 'x'],
  ['the same tag twice', { 'if-none-match': `${A}, ${A}` }, 'x'],
  ['the end of the connection', { connection: 'close' }, 'x']
])('more follows from lines with %s than the image', (_what, headers, name) => {
  const line = `If-None-Match: ${A}\r\n`
  const isTagged = 'if-none-match' in headers
  expect(linesOf(isTagged ? line : '', { ...headers, [name]: 'x' })).toBeUndefined()
})

test('other methods read no image', () => {
  expect(linesOf('', {}, 'PUT')).toBeUndefined()
})

test('a connection that begins with a read most likely goes on with reads', () => {
  for (const lines of ['', `If-None-Match: ${A}\r\n`]) {
    expect(isLikelyRead(text('/x', lines))).toBe(true)
    expect(isLikelyRead(text('/x', lines, 'HEAD'))).toBe(true)
    expect(isLikelyRead(text('/x', lines, 'PUT'))).toBe(false)
    expect(isLikelyRead(text('/x', `${lines}Range: bytes=0-1\r\n`))).toBe(false)
    expect(isLikelyRead(text('/x', `${lines}Content-Length: 3\r\n`))).toBe(false)
  }
  expect(isLikelyRead(text('/x', 'If-None-Match: *\r\n'))).toBe(false)
  expect(isLikelyRead(text('/x', `If-Modified-Since: ${DATE}\r\n`))).toBe(false)
})

test('one request is a line, lines, and the empty one', () => {
  expect(isOneRequest(text('/x'))).toBe(true)
  for (const other of [`\r\n${text('/x')}`, text('/x') + text('/x'), text('/x').slice(0, -2)]) {
    expect(isOneRequest(other)).toBe(false)
  }
  const long = text('/x', `X: ${'y'.repeat(REQUEST_BYTES_MAX)}\r\n`)
  expect(isOneRequest(long)).toBe(true)
})
