import { expect, test } from 'vitest'
import { mayShow, readHostPattern } from '../../../src/http/hotlink.ts'

const options = {
  allowed: ['example.org', '*.example.net', 'localhost:3000'],
  withoutReferer: 'refuse',
  placeholder: undefined
} as const
const from = (referer: string | undefined, host = 'img.test:8000') =>
  mayShow({ headers: { referer, host } }, options)

test.each([
  'https://example.org/page',
  'http://EXAMPLE.org:8080/',
  'https://example.net/x',
  'https://a.b.example.net',
  'http://localhost:3000/',
  'http://img.test:8000/' // a page of this server
])('a page at %s may show images', (referer) => {
  expect(from(referer)).toBe(true)
})

test.each([
  'https://sub.example.org/',
  'https://example.org.evil.test/',
  'https://evilexample.net/',
  'https://evil.test/?https://example.org',
  'https://example.org@evil.test/',
  'http://localhost:3001/',
  'http://img.test/',
  'example.org',
  'javascript:example.org',
  ''
])('a page at "%s" may not', (referer) => {
  expect(from(referer)).toBe(false)
})

test('who does not say where he comes from is let in if a person wants it', () => {
  expect(from(undefined)).toBe(false)
  const kind = { ...options, withoutReferer: 'allow' } as const
  expect(mayShow({ headers: {} }, kind)).toBe(true)
})

test('patterns are hosts, and nothing else', () => {
  expect(['Example.org', '*.a.b', 'x:80'].map(readHostPattern)).toEqual([
    ...['example.org', '*.a.b', 'x:80']
  ])
  expect(['*', 'a.*', 'https://a', 'a/b', ''].map(readHostPattern)).toEqual(
    Array(5).fill(undefined)
  )
})
