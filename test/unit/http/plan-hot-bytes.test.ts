import { expect, test } from 'vitest'
import { planHotBytes } from '../../../src/http/plan-hot-bytes.ts'

const SET = 32 * 2 ** 20

test.each([
  ['no limit known', 0, SET],
  ['none set', 2 ** 64, SET],
  ['a machine of some size', 2 ** 30, SET],
  ['a small container', 200e6, 12.5e6]
])('%s', (_, limit, bytes) => {
  expect(planHotBytes(SET, limit)).toBe(bytes)
})

test('none stays none', () => {
  expect(planHotBytes(0, 200e6)).toBe(0)
})
