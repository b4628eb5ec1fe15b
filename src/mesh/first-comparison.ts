// What a node waits for before it takes in files that it finds: what others have deleted or
// replaced meanwhile must not come back with them.

import { type Clock, sleep } from '../base/clock.ts'

export interface FirstComparisonParts {
  readonly clock: Clock
  /** Whether a comparison with another node has come to its end. */
  readonly hasCompared: () => boolean
  /** Whether any other node is known. */
  readonly knowsOthers: () => boolean
  /** Whether this node had an index before, and may have known others. */
  readonly isPastLost: () => boolean
}

/** Servers that do not come up for so long are not waited for. */
const COMPARED_MS_MAX = 10 * 60_000
/** The local network shows within this time who is there. */
const FOUND_MS_MAX = 30_000
const LOOK_MS = 500
/** So long after the start who reads is asked to come again, rather than told what may be wrong. */
const CATCHING_UP_MS_MAX = 10_000

/** Tells whether other nodes are known and none of them has been compared with yet. */
export function catchingUpOf({
  clock,
  hasCompared,
  knowsOthers
}: Omit<FirstComparisonParts, 'isPastLost'>): () => boolean {
  const startMs = clock.monotonicMs()
  return () => clock.monotonicMs() - startMs < CATCHING_UP_MS_MAX && !hasCompared() && knowsOthers()
}

/**
 * Resolves once this node has compared with another: at once where none is known, and in the end
 * without it. Rejects with the signal's reason.
 */
export async function firstComparison(
  { clock, hasCompared, knowsOthers, isPastLost }: FirstComparisonParts,
  signal: AbortSignal
): Promise<void> {
  const startMs = clock.monotonicMs()
  const waitMs = () => (knowsOthers() ? COMPARED_MS_MAX : isPastLost() ? FOUND_MS_MAX : 0)
  while (!hasCompared() && clock.monotonicMs() - startMs < waitMs()) {
    await sleep(clock, LOOK_MS, signal)
  }
}
