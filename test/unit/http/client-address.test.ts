import { BlockList } from 'node:net'
import { expect, test } from 'vitest'
import { clientAddress } from '../../../src/http/client-address.ts'

const proxies = new BlockList()
proxies.addSubnet('10.0.0.0', 8, 'ipv4')
proxies.addAddress('::1', 'ipv6')

test.each([
  ['192.0.2.1', undefined, '192.0.2.1'],
  ['::ffff:192.0.2.1', '203.0.113.5', '192.0.2.1'], // no proxy: its word is nothing
  ['10.0.0.1', '203.0.113.5', '203.0.113.5'],
  ['10.0.0.1', '198.51.100.7, 203.0.113.5', '203.0.113.5'], // what a stranger put before it
  ['10.0.0.1', '203.0.113.5, 10.0.0.2', '203.0.113.5'],
  ['10.0.0.1', '203.0.113.5, garbage, 10.0.0.2', '10.0.0.2'],
  ['::1', '[2001:db8::1]:443', '2001:db8::1'],
  ['10.0.0.1', '', '10.0.0.1'],
  [undefined, '203.0.113.5', '']
])('from %s, said to be for %s: %s', (remoteAddress, said, expected) => {
  const headers = said === undefined ? {} : { 'x-forwarded-for': said }
  expect(clientAddress({ socket: { remoteAddress }, headers } as never, proxies)).toBe(expected)
})
