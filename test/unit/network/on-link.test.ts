import { describe, expect, test } from 'vitest'
import { isLoopback, isOnLink, isPrivate } from '../../../src/network/on-link.ts'

const interfaces = {
  lo: [{ cidr: '127.0.0.1/8' }, { cidr: '::1/128' }],
  eth0: [{ cidr: '192.168.7.20/24' }, { cidr: 'fe80::1/64' }, { cidr: 'fd12:3456::20/64' }],
  wan: [{ cidr: '203.0.113.4/24' }, { cidr: '2001:db8::4/64' }],
  down: [{ cidr: null }],
  gone: undefined
}

describe('an address is on the link', () => {
  test.each([
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '192.168.7.1',
    '192.168.7.255',
    '::ffff:192.168.7.1',
    '::ffff:c0a8:701',
    'fe80::abcd',
    'fe80::abcd%eth0',
    'FD12:3456::1'
  ])('%s', (address) => {
    expect(isOnLink(address, interfaces)).toBe(true)
  })
})

describe('an address is not on the link', () => {
  test.each([
    ['of another private network', '192.168.8.1'],
    ['of another private network', '10.0.0.1'],
    ['of another private network', 'fd99::1'],
    ['public, on the same subnet', '203.0.113.9'],
    ['public, on the same subnet', '2001:db8::9'],
    ['public', '8.8.8.8'],
    ['public, in an IPv6 address', '::ffff:8.8.8.8'],
    ['shared by customers of a provider', '100.64.0.1'],
    ['unspecified', '0.0.0.0'],
    ['no address', ''],
    ['no address', 'localhost'],
    ['no address', '192.168.7']
  ])('%s: %s', (_, address) => {
    expect(isOnLink(address, interfaces)).toBe(false)
  })

  test('without interfaces', () => {
    expect(isOnLink('127.0.0.1', {})).toBe(false)
  })
})

test('private and loopback addresses are known without interfaces', () => {
  expect(['10.1.2.3', '172.31.0.1', '169.254.1.1', 'fd00::1', '127.0.0.1'].every(isPrivate)).toBe(
    true
  )
  expect(['172.32.0.1', '9.9.9.9', '2001:db8::1', ''].some(isPrivate)).toBe(false)
  expect(['127.0.0.1', '127.3.4.5', '::1', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true)
  expect(['192.168.7.1', '::2', ''].some(isLoopback)).toBe(false)
})
