// Sets of buckets of the time tree, as ascending ranges that do not touch. Pure.

import type { WantRange } from '../../protocols/entries/source.ts'
import { BUCKET_MAX } from '../../protocols/time-tree-shape.ts'

export type BucketRanges = readonly WantRange[]

export const ALL_BUCKETS: BucketRanges = [{ from: 0, to: BUCKET_MAX }]

/** All that are in any of these ranges, in whatever order they are. */
export function unionOf(ranges: Iterable<WantRange>): BucketRanges {
  const joined: { from: number; to: number }[] = []
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last === undefined || from > last.to + 1) joined.push({ from, to })
    else last.to = Math.max(last.to, to)
  }
  return joined
}

/** Those that are in both. */
export function intersectionOf(a: BucketRanges, b: BucketRanges): BucketRanges {
  const common: WantRange[] = []
  for (let [atA, atB] = [0, 0]; ; ) {
    const [one, other] = [a[atA], b[atB]]
    if (one === undefined || other === undefined) return common
    const from = Math.max(one.from, other.from)
    const to = Math.min(one.to, other.to)
    if (from <= to) common.push({ from, to })
    if (one.to < other.to) atA++
    else atB++
  }
}
