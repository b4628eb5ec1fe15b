// Watermarks: up to where each other member has everything that is here (rule 5). Pure.

import type { Vouch } from '../../protocols/entries/source.ts'
import { bucketAt } from '../../protocols/time-tree-shape.ts'

/**
 * All that is here in buckets below `until`, the member has too, or what beats it: deletions aside
 * that may have been forgotten here, which are compared no more.
 */
export interface Watermark {
  readonly until: number
  /** The database of the member of which this is known: a new one has nothing. */
  readonly database: string
}

/** By the peer id of the member. */
export type Watermarks = Readonly<Record<string, Watermark>>

/** More than any mesh has members: beyond it those that are new are waited for. */
export const WATERMARKS_MAX = 1000

/** What is younger can't have been deleted and forgotten, whoever says so. */
const FORGOTTEN_AGE_MS_MIN = 6 * 60 * 60_000

/** The bucket below which things may have been forgotten, at the earliest. */
export function forgettableUntil(nowMs: number): number {
  return bucketAt(nowMs - FORGOTTEN_AGE_MS_MIN)
}

/** With what was proved, or vouched for. */
export function raised(
  all: Watermarks,
  member: string,
  { until, database }: Watermark
): Watermarks {
  const before = all[member]
  if (before === undefined && Object.keys(all).length >= WATERMARKS_MAX) return all
  if (before?.database === database && before.until >= until) return all
  return { ...all, [member]: { until, database } }
}

/**
 * Without some of those that are members no more, where these would leave no room for a member: of
 * whom the least is known goes first. The same object if there is room.
 */
export function withRoom(all: Watermarks, members: ReadonlyMap<string, unknown>): Watermarks {
  const gone = Object.entries(all).filter(([id]) => !members.has(id))
  const excess = gone.length + members.size + 1 - WATERMARKS_MAX
  if (excess <= 0) return all
  gone.sort(([, a], [, b]) => a.until - b.until)
  const dropped = new Set(gone.slice(0, excess).map(([id]) => id))
  return Object.fromEntries(Object.entries(all).filter(([id]) => !dropped.has(id)))
}

/**
 * After an entry in this bucket came from a member: nobody else is known to have it. The same
 * object if that changes nothing.
 */
export function lowered(all: Watermarks, bucket: number, from: string): Watermarks {
  const isAbove = ([member, { until }]: readonly [string, Watermark]) =>
    until > bucket && member !== from
  const entries = Object.entries(all)
  if (!entries.some(isAbove)) return all
  return Object.fromEntries(
    entries.map((one) => (isAbove(one) ? [one[0], { ...one[1], until: bucket }] : one))
  )
}

/**
 * With what a peer knows of third members, as far as this node and the peer were just proved the
 * same. A database that a member does not say it has counts for nothing.
 */
export function vouched(
  all: Watermarks,
  vouches: readonly Vouch[],
  { until, databases }: { until: number; databases: ReadonlyMap<string, string | undefined> }
): Watermarks {
  let after = all
  for (const vouch of vouches) {
    if (databases.get(vouch.member) !== vouch.database) continue
    const named = { until: Math.min(until, vouch.until), database: vouch.database }
    after = raised(after, vouch.member, named)
  }
  return after
}

export function vouchesOf(all: Watermarks): Vouch[] {
  return Object.entries(all).map(([member, watermark]) => ({ member, ...watermark }))
}

/**
 * The bucket below which all members have everything; infinite if there are no others. Members by
 * peer id, with the database that they say they have.
 */
export function commonUntil(
  all: Watermarks,
  members: ReadonlyMap<string, string | undefined>
): number {
  let until = Number.POSITIVE_INFINITY
  for (const [member, database] of members) {
    const known = all[member]
    const isKnown = known !== undefined && known.database === database
    until = Math.min(until, isKnown ? known.until : 0)
  }
  return until
}

/**
 * Whether this node and a peer that knows these others were ever part of one mesh. By their
 * databases alone: a folder that was copied has the same past under another name.
 */
export function sharesPast(
  all: Watermarks,
  own: string,
  peer: string,
  vouches: readonly Pick<Vouch, 'database'>[]
): boolean {
  const known = new Set([own, ...Object.values(all).map(({ database }) => database)])
  known.delete('') // of a member of which no index is known
  return known.has(peer) || vouches.some(({ database }) => known.has(database))
}
