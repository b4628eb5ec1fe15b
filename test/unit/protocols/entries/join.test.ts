import { expect, test } from 'vitest'
import { unmatched } from '../../../../protocols/entries/join.ts'

const only = (lefts: number[], rights: number[]) =>
  [...unmatched(lefts, rights, (a, b) => a - b)].map(({ left, right }) => [left, right])

test('what only one list has is found wherever it is', () => {
  expect(only([9, 7, 5, 1], [8, 7, 4, 1, 0])).toEqual([
    [9, undefined],
    [undefined, 8],
    [5, undefined],
    [undefined, 4],
    [undefined, 0]
  ])
})

test('equal lists have nothing alone, and an empty one lacks all', () => {
  expect(only([3, 2], [3, 2])).toEqual([])
  expect(only([], [3, 2])).toEqual([
    [undefined, 3],
    [undefined, 2]
  ])
  expect(only([3], [])).toEqual([[3, undefined]])
})
