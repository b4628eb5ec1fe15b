import { expect, test } from 'vitest'
import { nearest, nearestKeys } from '../../../config/nearest.ts'

const KNOWN = [
  'name',
  'http.port',
  'http.host',
  'p2p.port',
  'cluster.name',
  'http',
  'p2p',
  'cluster'
]

test('the nearest name is the one with the fewest slips', () => {
  expect(nearest('prot', ['host', 'port'])).toBe('port')
  expect(nearest('PORT', ['host', 'port'])).toBe('port')
  expect(nearest('elephant', ['host', 'port'])).toBeUndefined()
  expect(nearest('x', ['port'])).toBeUndefined()
})

test.each([
  ['http.prot', ['http.port']],
  ['port', ['http.port', 'p2p.port']],
  ['cluster.port', ['http.port', 'p2p.port']],
  ['htp', ['http']],
  ['nmae', ['name']],
  ['http.elephant', []]
])('%s stands for %j', (path, meant) => {
  expect(nearestKeys(path, KNOWN)).toEqual(meant)
})
