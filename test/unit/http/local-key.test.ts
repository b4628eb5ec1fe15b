import { expect, test } from 'vitest'
import { createLocalKey } from '../../../src/http/local-key.ts'

test('the local key may do all, on this machine', () => {
  const key = createLocalKey('0123abcd')
  expect(key.grantOf('0123abcd')).toEqual({ name: 'local', scopes: ['admin'], loopbackOnly: true })
})

test.each(['', '0123abc', '0123abcde', '0123ABCD', '0123abcd ', 'ünïcode'])(
  '%j is not the key',
  (bearer) => {
    expect(createLocalKey('0123abcd').grantOf(bearer)).toBeUndefined()
  }
)

test('an empty key is a broken node', () => {
  expect(() => createLocalKey('')).toThrow('invariant')
})
