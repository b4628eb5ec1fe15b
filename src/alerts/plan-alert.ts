// When people are told of the status of a node, and when it is none of their business yet.

export interface Watched {
  /** What was told last: a node begins as a healthy one. */
  readonly told: string
  /** What it has been since then, by the monotonic clock, if that is not what was told. */
  readonly other?: { readonly status: string; readonly sinceMs: number } | undefined
}

export const UNWATCHED: Watched = { told: 'healthy' }

/**
 * What is known after one more look, and whether that is to be told now. From one trouble to
 * another nothing is told again but what is worse.
 */
export function planAlert(
  { told, other }: Watched,
  status: string,
  { nowMs, afterMs }: { readonly nowMs: number; readonly afterMs: number }
): { readonly next: Watched; readonly tell: boolean } {
  if (status === told || (status !== 'healthy' && rankOf(status) < rankOf(told))) {
    return { next: { told }, tell: false }
  }
  const sinceMs = other?.status === status ? other.sinceMs : nowMs
  if (nowMs - sinceMs < afterMs) return { next: { told, other: { status, sinceMs } }, tell: false }
  return { next: { told: status }, tell: true }
}

const RANKS = ['healthy', 'degraded', 'read_only', 'critical']

function rankOf(status: string): number {
  return RANKS.indexOf(status)
}
