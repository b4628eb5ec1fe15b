// Which of two connections with one peer stays.

export interface LinkFacts {
  /** Whether this side dialled it. */
  readonly dialled: boolean
  readonly openedMs: number
}

/** Dials that cross each other end this close together. */
const CROSSING_MS = 5_000

/**
 * Of connections that were dialled at the same time the one that the lower peer id dialled stays:
 * both sides come to the same answer. A later one is dialled only by a peer that has lost the
 * older, whoever dialled it, and with it all that belonged to it: the two meet anew.
 */
export function planLinks(
  older: LinkFacts,
  newer: LinkFacts,
  ids: { readonly own: string; readonly peer: string }
): 'older' | 'newer' | 'anew' {
  if (newer.openedMs - older.openedMs > CROSSING_MS) return 'anew'
  if (older.dialled === newer.dialled) return 'newer'
  return older.dialled === ids.own < ids.peer ? 'older' : 'newer'
}
