import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { allowedAt, methodsOf, RARE } from '../../../src/http/other-methods.ts'

const METHODS = methodsOf([
  { url: '/images/*', method: 'GET' },
  { url: '/images/*', method: 'PUT' },
  { url: '/api/keys', method: 'POST' },
  { url: '/api/keys/:id', method: 'DELETE' },
  { url: '/api/keys/all', method: 'GET' }
])

test('of each address there is what it answers to, and what else is usual', () => {
  expect(METHODS[0]).toEqual({
    url: '/images/*',
    allow: 'GET, HEAD, OPTIONS, PUT',
    others: ['POST', 'DELETE', 'OPTIONS']
  })
  expect(RARE).toContain('PATCH')
  expect(RARE).not.toContain('CONNECT')
})

test.each([
  ['/images/a/b.jpg', 'GET, HEAD, OPTIONS, PUT'],
  ['/images/?x=1', 'GET, HEAD, OPTIONS, PUT'],
  ['/api/keys?x=/all', 'OPTIONS, POST'],
  ['/api/keys/1', 'DELETE, OPTIONS'],
  ['/api/keys/', 'DELETE, OPTIONS'],
  ['/api/keys/all', 'GET, HEAD, OPTIONS'],
  ['/api/keys/1/2', undefined],
  ['/api/keysall', undefined],
  ['/', undefined]
])('%s answers to %s', (url, allow) => {
  expect(allowedAt(METHODS, url)).toBe(allow)
})

test('the client of the platform, which nobody uses, is not loaded', () => {
  const api = new URL('../../../src/http/api.ts', import.meta.url).href
  const program = `await import('${api}'); console.log(process.moduleLoadList.join())`
  const line = ['--input-type=module', '--no-warnings', '--eval', program]
  expect(execFileSync(process.execPath, line, { encoding: 'utf8' })).not.toContain('undici')
})
