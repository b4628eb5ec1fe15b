import { expect, test } from 'vitest'
import { isTooMuch, Recent } from '../../../src/flows/plan-brakes.ts'

test.each([
  [99, 100, false],
  [100, 900, true],
  [100, 1000, false],
  [101, 1000, true]
])('%i of %i: too much %s', (count, all, expected) => {
  expect(isTooMuch(count, all)).toBe(expected)
})

test.each([500_000, 2_000_000, 50_000_000])(
  'a quarter of %i images in a minute is too much',
  (all) => {
    const recent = new Recent(60_000)
    for (let n = 0; n < Math.min(all / 4, 500_000); n++)
      recent.add(`${n}.jpg`, true, n / 10, undefined)
    expect(isTooMuch(recent.count, all)).toBe(true)
  }
)

test('what happened before the window counts no more', () => {
  const recent = new Recent(60_000)
  for (let n = 0; n < 100; n++) recent.add(`${n}`, n % 2 === 0, 1000, undefined)
  expect([recent.count, recent.gone]).toEqual([100, 50])
  recent.add('later', false, 61_000, undefined)
  expect([recent.count, recent.gone]).toEqual([1, 0])
})
