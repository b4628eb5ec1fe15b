import { expect, test } from 'vitest'
import { addressAt } from '../../../src/client/send-request.ts'

test.each([
  ['http://127.0.0.1:8000', 'http://127.0.0.1:8000/api/keys?a=1'],
  ['http://127.0.0.1:8000/', 'http://127.0.0.1:8000/api/keys?a=1'],
  ['https://example.org/tumesh', 'https://example.org/tumesh/api/keys?a=1'],
  ['https://example.org/tumesh/', 'https://example.org/tumesh/api/keys?a=1'],
  ['https://example.org/a/b/?x=1#y', 'https://example.org/a/b/api/keys?a=1']
])('an address of the node at %s is %s', (url, address) => {
  expect(addressAt(url, '/api/keys?a=1')).toBe(address)
})
