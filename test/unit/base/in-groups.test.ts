import { expect, test } from 'vitest'
import { inGroups } from '../../../src/base/in-groups.ts'

const groups = (weights: number[]) =>
  Array.fromAsync(inGroups(weights, { countMax: 3, weightMax: 10, weightOf: (one) => one }))

test('a group ends by its count, by its weight, and at the end', async () => {
  expect(await groups([1, 1, 1, 1, 9, 1, 20, 4])).toEqual([[1, 1, 1], [1, 9], [1, 20], [4]])
  expect(await groups([10, 10])).toEqual([[10], [10]])
  expect(await groups([])).toEqual([])
})
