import { describe, expect, test } from 'vitest'
import { mdnsRouteFault } from '../../../src/network/multicast-route.ts'

const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT'
const link = 'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0'
const gateway = 'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0'
const multicast = 'eth0\t000000E0\t00000000\t0001\t0\t0\t0\t000000F0\t0\t0\t0'
const rejecting = 'eth0\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0'
const loopback = 'lo\t0000007F\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0'

const table = (...routes: string[]) => mdnsRouteFault(() => [head, ...routes, ''].join('\n'))

describe('a route for multicast', () => {
  test.each([
    ['the default route', [link, gateway]],
    ['its own route', [link, multicast]]
  ])('is there: %s', (_, routes) => {
    expect(table(...routes)).toBeUndefined()
  })

  test.each([
    ['only the local network', [link]],
    ['a route that refuses', [link, rejecting]]
  ])('is missing: %s', (_, routes) => {
    expect(table(...routes)).toContain('ip route add 224.0.0.0/4 dev eth0')
  })

  test('is not missed where there is no network, or no table', () => {
    expect([table(), table(loopback), mdnsRouteFault(() => undefined)]).toEqual([
      undefined,
      undefined,
      undefined
    ])
  })

  test('is not found in what can not be read', () => {
    expect(table('eth0 zz zz', 'rubbish', '')).toBeUndefined()
    expect(table('eth0\tzzzzzzzz\t0\t0001\t0\t0\t0\tzzzzzzzz')).toContain('ip route add')
  })
})
