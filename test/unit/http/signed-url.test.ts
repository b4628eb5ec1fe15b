import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkSigned, type SignedScope, signedQuery } from '../../../src/http/signed-url.ts'
import { TEST_SIGNING_KEY } from '../../support/memory-node.ts'

const KEY = TEST_SIGNING_KEY
const HASH = 'ab'.repeat(32)
const query = (by: SignedScope['by'], name: string, expires = 100) =>
  signedQuery(KEY, { scope: { by, name }, expires })
const LIVING = 'ab'.repeat(6)
const by = (signingKey: string) => ({
  signingKeys: [signingKey],
  keys: { maySign: (id: string) => id === LIVING }
})
const check = (url: string, nowMs = 99_999) => checkSigned(url, by(KEY), nowMs)

test.each([
  `/images/a/%E5%9B%BE.jpg${query('path', 'a/图.jpg')}`,
  `/images/a/图.jpg${query('path', 'a/图.jpg')}`,
  `/static/data/images/a%2Fb.jpg${query('path', 'a/b.jpg')}`,
  `/file-sync/api/file-sync/download/x.jpg${query('path', 'x.jpg')}`,
  `/images/2024/x.jpg${query('prefix', '2024/')}`,
  `/images/a&b c/x.jpg${query('prefix', 'a&b c/')}`,
  `/blobs/${HASH.toUpperCase()}${query('hash', HASH)}`,
  `/thumbnails/${HASH}${query('hash', HASH)}&size=512`
])('%s is good until its time is over', (url) => {
  expect([check(url), check(url, 100_000)]).toEqual(['valid', 'expired'])
})

test.each([
  `/images/b.jpg${query('path', 'a.jpg')}`,
  `/images/a.jpg${query('path', 'a.jpg').replace('expires=100', 'expires=101')}`,
  `/images/a.jpg${query('path', 'a.jpg')}&prefix=`,
  `/images/a.jpg${query('prefix', 'b')}`,
  `/images/a.jpg${query('prefix', 'a').replace('prefix=a', 'prefix=')}`,
  `/images/path:a.jpg${query('prefix', 'path:a.jpg').replace(/prefix=[^&]*&/, '')}`,
  `/blobs/${HASH}${query('path', HASH)}`,
  `/images/%ff${query('path', '%ff')}`,
  // what is read ends at the first of `#` and `?`: that is a.jpg
  `/images/a.jpg#b.jpg${query('path', 'a.jpg#b.jpg')}`,
  `/images/a.jpg#/b.jpg${query('prefix', 'a.jpg#/')}`,
  '/images/a.jpg?expires=100&signature=',
  `/images/a.jpg?expires=1e3&signature=${HASH}`,
  `/images/a.jpg?signature=${HASH}`
])('%s is not', (url) => {
  expect(check(url)).toBe('wrong')
})

test('one without a signature is none, and another key opens nothing', () => {
  const urls = ['/images/a.jpg', '/images/a.jpg?expires=1', `/api/keys${query('path', 'keys')}`]
  expect(urls.map((url) => check(url))).toEqual(Array(3).fill('unsigned'))
  const url = `/images/a.jpg${query('path', 'a.jpg')}`
  expect(checkSigned(url, by('00'.repeat(32)), 0)).toBe('wrong')
})

test('whatever an address is, it is judged', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(['unsigned', 'wrong']).toContain(check(`/images/${text}?signature=${text}`))
    })
  )
})

test('one that was made for a key ends with it, and goes by no other', () => {
  const of = (id: string) =>
    `/images/a.jpg${signedQuery(KEY, { scope: { by: 'path', name: 'a.jpg' }, expires: 100 }, id)}`
  expect(of(LIVING)).toContain(`&key=${LIVING}&`)
  expect([check(of(LIVING)), check(of(LIVING), 100_000)]).toEqual(['valid', 'expired'])
  expect(check(of('cd'.repeat(6)))).toBe('revoked')
  expect(check(of(LIVING).replace(/&key=[^&]*/, ''))).toBe('wrong')
  expect(check(of('cd'.repeat(6)).replace('cd'.repeat(6), LIVING))).toBe('wrong')
  expect(check(`/images/a.jpg${query('path', 'a.jpg')}&key=${LIVING}`)).toBe('wrong')
})
