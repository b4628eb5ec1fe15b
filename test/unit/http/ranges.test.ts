import { expect, test } from 'vitest'
import { planRanges, RANGES_MAX, type RangePlan } from '../../../src/http/ranges.ts'

const span = (start: number, end: number) => ({ start, end })
const list = (count: number) => Array.from({ length: count }, (_, at) => `${at * 3}-${at * 3}`)

test.each<[string | undefined, RangePlan]>([
  [undefined, 'whole'],
  ['bytes=0-9', [span(0, 10)]],
  ['bytes=0-0', [span(0, 1)]],
  ['BYTES=5-', [span(5, 100)]],
  ['bytes=0-', [span(0, 100)]],
  ['bytes=-1', [span(99, 100)]],
  ['bytes=-100', [span(0, 100)]],
  ['bytes=-1000', [span(0, 100)]],
  ['bytes=90-1000', [span(90, 100)]],
  ['bytes=99-', [span(99, 100)]],
  ['bytes= 1-2 , 5-6 ', [span(1, 3), span(5, 7)]],
  ['bytes=50-59,0-9', [span(50, 60), span(0, 10)]],
  ['bytes=0-9,5-19', [span(0, 20)]],
  ['bytes=0-9,10-19', [span(0, 20)]],
  ['bytes=0-9,200-', [span(0, 10)]],
  [`bytes=${list(RANGES_MAX)}`, list(RANGES_MAX).map((_, at) => span(at * 3, at * 3 + 1)) as never],
  [`bytes=${list(RANGES_MAX + 1)}`, 'whole'],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=100-200,300-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=0-,0-', 'whole'],
  [`bytes=0-${',0-'.repeat(2000)}`, 'whole'],
  ['bytes=9-0', 'whole'],
  ['bytes=0-9,x', 'whole'],
  ['bytes=', 'whole'],
  ['bytes', 'whole'],
  ['', 'whole'],
  ['items=0-9', 'whole'],
  ['bytes=0x1-0x2', 'whole'],
  ['bytes=1e1-2e1', 'whole'],
  ['bytes=99999999999999999999999999-', 'unsatisfiable'],
  ['bytes=0-99999999999999999999999999', [span(0, 100)]]
])('%s of 100 bytes', (header, plan) => {
  expect(planRanges(header, 100)).toEqual(plan)
})

test.each(['bytes=0-', 'bytes=-1', 'bytes=5-9', 'bytes=-0'])('%s of an empty image', (header) => {
  expect(planRanges(header, 0)).toBe('whole')
})
