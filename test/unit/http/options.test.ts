import { expect, test } from 'vitest'
import { httpSection } from '../../../src/http/options.ts'

test('trusted proxies are addresses or networks', () => {
  const given = ['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8']
  expect(httpSection.parse({ trusted_proxies: given }).trusted_proxies).toEqual(given)
  for (const wrong of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'proxy.local', '::/129', '']) {
    const { success } = httpSection.safeParse({ trusted_proxies: [`${wrong} `] })
    expect(success, wrong).toBe(false)
  }
})
