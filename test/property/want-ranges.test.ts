import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BUCKET_MAX } from '../../protocols/time-tree-shape.ts'
import { isInRanges, planWantRanges } from '../../src/index-sync/plan-want-ranges.ts'

const bucket = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: BUCKET_MAX }))

test('every want is in a range, and the ranges are few, ascending and apart', () => {
  fc.assert(
    fc.property(
      fc.array(bucket, { maxLength: 60 }),
      fc.option(bucket, { nil: undefined }),
      fc.integer({ min: 1, max: 20 }),
      (buckets, upTo, rangesMax) => {
        const ranges = planWantRanges(buckets, upTo, rangesMax)
        expect(ranges.length).toBeLessThanOrEqual(rangesMax)
        for (const [at, { from, to }] of ranges.entries()) {
          expect(from).toBeLessThanOrEqual(to)
          expect(from).toBeGreaterThan((ranges[at - 1]?.to ?? -2) + 1)
        }
        const named = upTo === undefined ? buckets : [...buckets, 0, Math.floor(upTo / 2), upTo]
        for (const one of named) expect(isInRanges(ranges, one)).toBe(true)
        const inside = (one: number) => ranges.some(({ from, to }) => from <= one && one <= to)
        for (const one of [0, 1, 20, BUCKET_MAX]) expect(isInRanges(ranges, one)).toBe(inside(one))
      }
    )
  )
})

test('where all fit, nothing else is in a range', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 100 }), { maxLength: 50 }), (buckets) => {
      const ranges = planWantRanges(buckets, undefined, 101)
      for (let one = 0; one <= 101; one++) {
        expect(isInRanges(ranges, one)).toBe(buckets.includes(one))
      }
    })
  )
})

test('where they do not fit, the widest gaps stay', () => {
  expect(planWantRanges([1, 2, 5, 100, 103, 1000], undefined, 3)).toEqual([
    { from: 1, to: 5 },
    { from: 100, to: 103 },
    { from: 1000, to: 1000 }
  ])
  expect(planWantRanges([7, 3], 5, 3)).toEqual([
    { from: 0, to: 5 },
    { from: 7, to: 7 }
  ])
})
