// The version of what this node writes.

import { CLOCK_MS_MAX, type Version, versionAt } from '../../protocols/version.ts'

export interface VersionPlan {
  readonly nowMs: number
  /** Where it should not come from the clock: the age of a file that was found. */
  readonly versionMs: number | undefined
  /** The version that it replaces; 0 if there is none. */
  readonly replaced: Version
  /** Nothing is written at or below it. */
  readonly floor: Version
  /** The last of our own. */
  readonly last: Version
}

/** Rule 1: after the clock, the replaced version, the floor and every version of our own. */
export function planVersion({ nowMs, versionMs, replaced, floor, last }: VersionPlan): Version {
  const candidates = [
    versionAt(Math.min(versionMs ?? nowMs, CLOCK_MS_MAX)),
    replaced + 1n,
    floor + 1n,
    versionMs === undefined ? last + 1n : 0n
  ]
  return candidates.reduce((a, b) => (a > b ? a : b))
}
