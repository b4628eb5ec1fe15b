import { describe, expect, test } from 'vitest'
import {
  addressOf,
  type Caller,
  type Decision,
  forwardingHeaderOf,
  planAccess,
  type Scope,
  type Who
} from '../../../src/http/plan-access.ts'
import { KEYLESS_FAULTS, openPolicy, ownCaller, PORT } from '../../support/callers.ts'

const WHOS: readonly Who[] = ['anyone', 'public', 'read', 'write', 'admin']
const SCOPES: readonly Scope[] = ['read', 'write', 'admin']
const keyless: Decision = { allow: true, as: 'keyless', sees: 'all' }

function withKey(scopes: readonly Scope[], more: Partial<Caller> = {}): Caller {
  const grant = { name: 'ci', scopes }
  return { ...ownCaller, remoteAddress: '192.168.1.5', authorization: 'Bearer k', grant, ...more }
}

describe('without a key', () => {
  test.each(WHOS)('the own user on this machine may call %s', (who) => {
    expect(planAccess(who, ownCaller, openPolicy)).toEqual(keyless)
  })

  test.each<[string, Partial<Caller>]>([
    ['IPv6', { remoteAddress: '::1', hosts: [`[::1]:${PORT}`] }],
    ['another loopback address', { remoteAddress: '127.8.9.10', hosts: [`127.8.9.10:${PORT}`] }],
    ['localhost in any case', { hosts: [`LocalHost:${PORT}`], origin: `http://localhost:${PORT}` }],
    ['port 80 left out', { localPort: 80, hosts: ['localhost'], origin: 'http://localhost' }],
    ['port 80 said', { localPort: 80, hosts: ['127.0.0.1:80'] }],
    ['the own page over TLS', { scheme: 'https', origin: `https://127.0.0.1:${PORT}` }],
    ['port 443 left out', { scheme: 'https', localPort: 443, hosts: ['localhost'] }],
    ['the own page', { origin: `http://127.0.0.1:${PORT}`, secFetchSite: 'same-origin' }],
    ['typed into a browser', { secFetchSite: 'none' }],
    ['a system that tells no users', { sameUser: () => undefined }]
  ])('also with %s', (_, change) => {
    expect(planAccess('admin', { ...ownCaller, ...change }, openPolicy)).toEqual(keyless)
  })

  test.each(Object.entries(KEYLESS_FAULTS))('not with %s', (_, [change, words]) => {
    const caller = { ...ownCaller, ...change.caller }
    const policy = { ...openPolicy, ...change.policy }
    for (const who of SCOPES) {
      const refusal = planAccess(who, caller, policy)
      expect(refusal).toMatchObject({ allow: false, code: 'UNAUTHORIZED' })
      const { reason } = refusal as { reason: string }
      expect(reason).toContain(words)
      expect(reason).toContain(`npm run keys -- add NAME --scope ${who}`)
    }
    expect(planAccess('public', caller, policy)).toEqual({ allow: true, as: 'public', sees: 'own' })
    expect(planAccess('public', caller, { ...policy, publicRead: 'key' }).allow).toBe(false)
    expect(planAccess('anyone', caller, { ...policy, publicRead: 'key' }).allow).toBe(true)
  })

  test('whose process it is, is asked only when all else holds', () => {
    const asked = () => {
      throw new Error('asked')
    }
    for (const [name, [change]] of Object.entries(KEYLESS_FAULTS)) {
      if (name === 'another user of the machine') continue
      const caller = { ...ownCaller, ...change.caller, sameUser: asked }
      expect(planAccess('read', caller, { ...openPolicy, ...change.policy }).allow).toBe(false)
    }
  })
})

describe('with a key', () => {
  test.each(SCOPES.flatMap((has) => SCOPES.map((needs) => [has, needs] as const)))(
    'of scope %s, a route for %s',
    (has, needs) => {
      const decision = planAccess(needs, withKey([has]), openPolicy)
      if (SCOPES.indexOf(has) >= SCOPES.indexOf(needs)) {
        expect(decision).toEqual({ allow: true, as: 'key', key: 'ci', sees: 'all' })
      } else {
        expect(decision).toMatchObject({ allow: false, code: 'FORBIDDEN' })
        expect(decision).toHaveProperty('reason', expect.stringContaining(`"ci" allows ${has}`))
      }
    }
  )

  test('a forwarded request with a key is let in', () => {
    const caller = withKey(['write'], { forwardedBy: 'via', hosts: ['img.example'] })
    expect(planAccess('write', caller, { ...openPolicy, keylessOpen: false }).allow).toBe(true)
  })

  test('an unknown key is refused even where none is needed', () => {
    const caller = { ...ownCaller, authorization: 'Bearer wrong' }
    expect(planAccess('read', caller, openPolicy)).toMatchObject({ code: 'UNAUTHORIZED' })
  })

  test('a weak key is not made stronger by the place it is used at', () => {
    const caller = withKey(['read'], { remoteAddress: '127.0.0.1' })
    expect(planAccess('admin', caller, openPolicy)).toMatchObject({ code: 'FORBIDDEN' })
  })

  test('on a public route an unknown key sees what everybody sees', () => {
    const caller = { ...ownCaller, authorization: 'Basic eDp5' }
    expect(planAccess('public', caller, openPolicy)).toEqual({
      allow: true,
      as: 'public',
      sees: 'own'
    })
    expect(planAccess('public', withKey(['read']), openPolicy)).toHaveProperty('sees', 'all')
  })

  test('a key with scopes of a later version allows nothing', () => {
    const caller = withKey(['owner' as Scope])
    expect(planAccess('read', caller, openPolicy)).toMatchObject({ code: 'FORBIDDEN' })
  })

  test('the local key counts on this machine only, and never for a forwarded request', () => {
    const grant = { name: 'local', scopes: ['admin'] as const, loopbackOnly: true }
    const local = withKey([], { grant, remoteAddress: '::1', hosts: ['anything'] })
    expect(planAccess('admin', local, openPolicy)).toHaveProperty('as', 'key')
    for (const change of [{ remoteAddress: '10.0.0.1' }, { forwardedBy: 'via' }]) {
      const decision = planAccess('admin', { ...local, ...change }, openPolicy)
      expect(decision).toMatchObject({ allow: false, code: 'UNAUTHORIZED' })
    }
  })
})

test.each([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-real-ip',
  'via',
  'cf-connecting-ip',
  'true-client-ip',
  'x-client-ip',
  'x-original-url',
  'x-original-forwarded-for',
  'x-envoy-external-address',
  'fly-client-ip',
  'cdn-loop'
])('%s is a sign of a proxy', (name) => {
  expect(forwardingHeaderOf(['host', 'accept', name])).toBe(name)
})

test('what ordinary clients send is none', () => {
  const names = ['host', 'user-agent', 'accept', 'accept-language', 'connection', 'range', 'origin']
  const more = ['x-requested-with', 'x-file-hash', 'authorization', 'referer', 'sec-fetch-site']
  expect(forwardingHeaderOf([...names, ...more])).toBeUndefined()
})

test('IPv4 addresses are the same on both kinds of socket', () => {
  expect(addressOf('::ffff:127.0.0.1')).toBe('127.0.0.1')
  expect(addressOf('127.0.0.1')).toBe('127.0.0.1')
  expect(addressOf('::1')).toBe('::1')
  expect(addressOf('fe80::1%eth0')).toBe('fe80::1')
  expect(addressOf(undefined)).toBeUndefined()
})
