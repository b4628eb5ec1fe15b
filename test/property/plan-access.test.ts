import fc from 'fast-check'
import { test } from 'vitest'
import { type Caller, planAccess, type Who } from '../../src/http/plan-access.ts'
import { KEYLESS_FAULTS, openPolicy, ownCaller, proxyList } from '../support/callers.ts'

const faults = fc.subarray(Object.values(KEYLESS_FAULTS))
const who = fc.constantFrom<Who>('read', 'write', 'admin')

test('one fault is enough, however many other conditions hold or fail', () => {
  fc.assert(
    fc.property(faults, who, (chosen, route) => {
      const caller = Object.assign({}, ownCaller, ...chosen.map(([change]) => change.caller))
      const policy = Object.assign({}, openPolicy, ...chosen.map(([change]) => change.policy))
      return planAccess(route, caller, policy).allow === (chosen.length === 0)
    })
  )
})

test('whatever a remote caller sends without a key, it gets what everybody gets', () => {
  const text = fc.option(fc.string(), { nil: undefined })
  const caller: fc.Arbitrary<Caller> = fc.record({
    remoteAddress: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()).filter((at) => !isLocal(at)),
    localPort: fc.option(fc.nat(65_535), { nil: undefined }),
    sameUser: fc.constant(() => true),
    hosts: fc.array(fc.oneof(fc.string(), fc.constant('127.0.0.1:8000')), { maxLength: 2 }),
    origin: text,
    scheme: fc.constantFrom('http' as const, 'https' as const),
    secFetchSite: text,
    forwardedBy: text,
    authorization: text,
    grant: fc.constant(undefined)
  })
  const policy = { ...openPolicy, trustedProxies: proxyList('10.0.0.2', 'fe80::2') }
  fc.assert(
    fc.property(caller, who, (from, route) => {
      const asPublic = planAccess('public', from, policy)
      return (
        !planAccess(route, from, policy).allow &&
        asPublic.allow &&
        asPublic.as === 'public' &&
        asPublic.sees === 'own'
      )
    })
  )
})

function isLocal(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}
