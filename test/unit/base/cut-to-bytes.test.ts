import { expect, test } from 'vitest'
import { cutToBytes } from '../../../src/base/cut-to-bytes.ts'

test('cuts at characters, never inside one', () => {
  expect(cutToBytes('aé', 2)).toBe('a')
  expect(cutToBytes('aé', 3)).toBe('aé')
  expect(cutToBytes('😀😀', 7)).toBe('😀')
  expect(cutToBytes('abc', 0)).toBe('')
})
