// The Range header: which bytes of an image are sent.

import { combineRanges, parse } from 'range-parser'

/** More ranges than this are no resumed download: the whole file is less work for both sides. */
export const RANGES_MAX = 16

export interface ByteRange {
  /** Inclusive. */
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/**
 * The ranges to send, in the order in which they were asked for; `whole` also where the header is
 * to be ignored.
 */
export type RangePlan = 'whole' | 'unsatisfiable' | readonly [ByteRange, ...ByteRange[]]

/**
 * `bytes` is the size of the image. Overlapping and adjacent ranges are sent as one. Never throws.
 */
export function planRanges(header: string | undefined, bytes: number): RangePlan {
  // Every range of an empty image is unsatisfiable or empty; clients that always send one mean the
  // whole.
  if (header === undefined || bytes === 0) return 'whole'
  const { code, type, ranges } = parse(bytes, header)
  const malformed = (code & 1) !== 0
  if (type !== 'bytes' || malformed || ranges.length > RANGES_MAX) return 'whole'
  const askedBytes = ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0)
  if (askedBytes > bytes) return 'whole'
  const [first, ...more] = combineRanges(ranges).map(({ start, end }) => ({ start, end: end + 1 }))
  return first === undefined ? 'unsatisfiable' : [first, ...more]
}
