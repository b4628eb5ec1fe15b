// Where the blobs that a node lacks lie in time, as it tells others. Pure.

import type { WantRange } from '../../protocols/entries/source.ts'

/**
 * Ranges that contain all buckets, and all others up to `upTo` if it is given: ascending, disjoint,
 * at most `rangesMax`. Where there would be more, those with the least between them become one.
 */
export function planWantRanges(
  buckets: Iterable<number>,
  upTo: number | undefined,
  rangesMax: number
): WantRange[] {
  const sorted = [...new Set(buckets)].sort((a, b) => a - b)
  const ranges: { from: number; to: number }[] = upTo === undefined ? [] : [{ from: 0, to: upTo }]
  for (const bucket of sorted) {
    const last = ranges.at(-1)
    if (last === undefined || bucket > last.to + 1) ranges.push({ from: bucket, to: bucket })
    else last.to = Math.max(last.to, bucket)
  }
  return ranges.length <= rangesMax ? ranges : joined(ranges, rangesMax)
}

/** Whether one of the ranges, which are ascending and disjoint, contains the bucket. */
export function isInRanges(ranges: readonly WantRange[], bucket: number): boolean {
  let [low, high] = [0, ranges.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const { from, to } = ranges[middle] as WantRange
    if (bucket < from) high = middle - 1
    else if (bucket > to) low = middle + 1
    else return true
  }
  return false
}

function joined(ranges: readonly WantRange[], rangesMax: number): WantRange[] {
  const range = (at: number) => ranges[at] as WantRange
  const gaps = ranges.slice(1).map(({ from }, n) => ({ at: n + 1, length: from - range(n).to }))
  gaps.sort((a, b) => b.length - a.length)
  const starts = [0, ...gaps.slice(0, rangesMax - 1).map(({ at }) => at)].sort((a, b) => a - b)
  return starts.map((start, n) => {
    const end = (starts[n + 1] ?? ranges.length) - 1
    return { from: range(start).from, to: range(end).to }
  })
}
