// How long what failed is left alone. Pure.

export interface BackOff {
  /** After the first failure. */
  readonly firstMs: number
  /** After many in a row. */
  readonly longestMs: number
}

/** How long no lane to a peer is tried where none could be opened, or nothing came on one. */
export const NO_LANE: BackOff = { firstMs: 30_000, longestMs: 30 * 60_000 }

/** Nothing doubles to nothing: it would be tried again as fast as it fails, for ever. */
const FIRST_MS_MIN = 100
/** What chance adds at most, so that those that failed together do not come back together. */
const JITTER = 1 / 4

/** After so many failures in a row, of which one is the first; `fraction` is chance, in [0, 1). */
export function planBackOffMs(
  failures: number,
  { firstMs, longestMs }: BackOff,
  fraction: number
): number {
  const doubledMs = Math.max(firstMs, FIRST_MS_MIN) * 2 ** Math.min(failures - 1, 30)
  return Math.min(doubledMs, longestMs) * (1 + fraction * JITTER)
}
