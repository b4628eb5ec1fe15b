import { expect, test } from 'vitest'
import { isoTime } from '../../../src/base/iso-time.ts'

test('times that no calendar has are shown', () => {
  expect(isoTime(2 ** 48)).toBe(new Date(2 ** 48).toISOString())
  expect(isoTime(Number.MAX_SAFE_INTEGER)).toBe('+275760-09-13T00:00:00.000Z')
})
