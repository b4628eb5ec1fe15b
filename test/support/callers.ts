// Callers for tests of the guard: one that may do all without a key, and every way to fail one
// condition.

import { BlockList } from 'node:net'
import type { AccessPolicy, Caller } from '../../src/http/plan-access.ts'

export const PORT = 8000

export const ownCaller: Caller = {
  remoteAddress: '127.0.0.1',
  localPort: PORT,
  sameUser: () => true,
  hosts: [`127.0.0.1:${PORT}`],
  origin: undefined,
  scheme: 'http',
  secFetchSite: undefined,
  forwardedBy: undefined,
  authorization: undefined,
  grant: undefined
}

export const openPolicy: AccessPolicy = {
  keylessOpen: true,
  publicRead: 'public',
  trustedProxies: new BlockList()
}

export function proxyList(...addresses: string[]): BlockList {
  const list = new BlockList()
  for (const address of addresses) list.addAddress(address, address.includes(':') ? 'ipv6' : 'ipv4')
  return list
}

interface Change {
  readonly caller?: Partial<Caller>
  readonly policy?: Partial<AccessPolicy>
}

/** Each breaks exactly one condition; the text is part of the reason. */
export const KEYLESS_FAULTS: Readonly<Record<string, readonly [Change, string]>> = {
  'a caller of the network': [{ caller: { remoteAddress: '192.168.1.5' } }, 'not on this machine'],
  'a caller over IPv6': [{ caller: { remoteAddress: 'fe80::1' } }, 'not on this machine'],
  'an address that only looks like loopback': [
    { caller: { remoteAddress: '127.0.0.999' } },
    'not on this machine'
  ],
  'a connection that is gone': [{ caller: { remoteAddress: undefined } }, 'not on this machine'],
  'a configured proxy': [{ policy: { trustedProxies: proxyList('127.0.0.1') } }, 'proxy'],
  'a forwarded request': [{ caller: { forwardedBy: 'x-forwarded-for' } }, 'x-forwarded-for'],
  'an earlier forwarded request': [{ policy: { keylessOpen: false } }, 'earlier'],
  'no Host': [{ caller: { hosts: [] } }, 'Host'],
  'an empty Host': [{ caller: { hosts: [''] } }, 'Host'],
  'two Hosts': [{ caller: { hosts: [`127.0.0.1:${PORT}`, `127.0.0.1:${PORT}`] } }, 'Host'],
  'a rebound name': [{ caller: { hosts: [`evil.example:${PORT}`] } }, 'Host'],
  'a name that ends like ours': [{ caller: { hosts: [`evil-localhost:${PORT}`] } }, 'Host'],
  'a name that begins like ours': [{ caller: { hosts: [`localhost.evil:${PORT}`] } }, 'Host'],
  'a short form of the address': [{ caller: { hosts: [`127.1:${PORT}`] } }, 'Host'],
  'a number over 255': [{ caller: { hosts: [`127.0.0.256:${PORT}`] } }, 'Host'],
  'the address of the network': [{ caller: { hosts: [`192.168.1.5:${PORT}`] } }, 'Host'],
  'another port': [{ caller: { hosts: ['127.0.0.1:8001'] } }, 'Host'],
  'no port': [{ caller: { hosts: ['127.0.0.1'] } }, 'Host'],
  'user and password': [{ caller: { hosts: [`127.0.0.1:${PORT}@evil:${PORT}`] } }, 'Host'],
  'an unknown own port': [{ caller: { localPort: undefined } }, 'Host'],
  'a page of another site': [{ caller: { origin: 'https://evil.example' } }, 'origin'],
  'a page of another port': [{ caller: { origin: 'http://127.0.0.1:3000' } }, 'origin'],
  'a page of another name for us': [{ caller: { origin: `http://localhost:${PORT}` } }, 'origin'],
  'a page over https': [{ caller: { origin: `https://127.0.0.1:${PORT}` } }, 'origin'],
  'a page without an origin': [{ caller: { origin: 'null' } }, 'origin'],
  'an empty origin': [{ caller: { origin: '' } }, 'origin'],
  'a fetch across sites': [{ caller: { secFetchSite: 'cross-site' } }, 'another site'],
  'a fetch from a neighbour': [{ caller: { secFetchSite: 'same-site' } }, 'another site'],
  'two words about the site': [{ caller: { secFetchSite: 'none, none' } }, 'another site'],
  'another user of the machine': [{ caller: { sameUser: () => false } }, 'another user']
}
