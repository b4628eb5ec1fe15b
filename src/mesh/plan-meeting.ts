// What two nodes that meet are to each other. Pure.

/** What counts of a node. Both sides know it of both, so both decide the same. */
export interface Side {
  readonly hasImages: boolean
  /** Of the meshes that the node belongs to. */
  readonly clusterIds: readonly string[]
}

/** Same mesh from now on, or each for itself until a person lets them merge. */
export type Meeting = 'merge' | 'wait'

/**
 * With a secret, meeting is merging. Without one a node that has no images joins whom it meets; two
 * that have some may be strangers whose images should never mix.
 */
export function planMeeting(mine: Side, theirs: Side, haveSecret: boolean): Meeting {
  if (haveSecret || !mine.hasImages || !theirs.hasImages) return 'merge'
  return mine.clusterIds.some((id) => theirs.clusterIds.includes(id)) ? 'merge' : 'wait'
}
