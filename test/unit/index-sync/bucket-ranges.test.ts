import { expect, test } from 'vitest'
import {
  ALL_BUCKETS,
  type BucketRanges,
  intersectionOf,
  unionOf
} from '../../../src/index-sync/bucket-ranges.ts'
import { isInRanges } from '../../../src/index-sync/plan-want-ranges.ts'
import { SeededChance } from '../../support/seeded-chance.ts'

const BUCKETS = 60

test('unions and intersections are those of sets, as ranges that do not touch', () => {
  const chance = new SeededChance(5)
  const some = () =>
    Array.from({ length: Math.floor(chance.fraction() * 8) }, () => {
      const from = Math.floor(chance.fraction() * BUCKETS)
      return { from, to: from + Math.floor(chance.fraction() * 6) }
    })
  const isOrderly = (ranges: BucketRanges) =>
    ranges.every(({ from }, n) => n === 0 || from > (ranges[n - 1]?.to as number) + 1)
  for (let run = 0; run < 300; run++) {
    const [listA, listB] = [some(), some()]
    const [a, b] = [unionOf(listA), unionOf(listB)]
    const both = intersectionOf(a, b)
    expect([isOrderly(a), isOrderly(b)]).toEqual([true, true])
    for (let bucket = 0; bucket < BUCKETS + 8; bucket++) {
      const isIn = listA.some(({ from, to }) => from <= bucket && bucket <= to)
      expect(isInRanges(a, bucket)).toBe(isIn)
      expect(isInRanges(both, bucket)).toBe(isIn && isInRanges(b, bucket))
    }
  }
})

test('with all buckets an intersection is what it was', () => {
  const ranges = unionOf([
    { from: 5, to: 7 },
    { from: 0, to: 1 }
  ])
  expect(intersectionOf(ALL_BUCKETS, ranges)).toEqual(ranges)
  expect(intersectionOf(ranges, [])).toEqual([])
})
