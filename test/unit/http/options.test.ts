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

test('origins are written as browsers send them', () => {
  const given = ['https://example.org', 'https://EXAMPLE.org:8443/', 'http://10.0.0.1:80', '*']
  expect(httpSection.parse({ cors_origins: given }).cors_origins).toEqual([
    ...['https://example.org', 'https://example.org:8443', 'http://10.0.0.1', '*']
  ])
  for (const wrong of [
    'example.org',
    'https://',
    'https://a.org/x',
    'ftp://a.org',
    'null',
    '*.a'
  ]) {
    expect(httpSection.safeParse({ cors_origins: [wrong] }).success, wrong).toBe(false)
  }
})
