// What each peer last said of itself, and what follows: which entries it has, and whose blobs it
// holds durably. Only the holder's own words count, and the newest replace the older ones.

import type { EntriesStatus } from '../../protocols/entries/source.ts'
import type { Entry } from '../../protocols/entry.ts'
import { BUCKET_MAX, bucketAt } from '../../protocols/time-tree-shape.ts'
import { versionMs } from '../../protocols/version.ts'
import { ALL_BUCKETS, type BucketRanges, unionOf } from './bucket-ranges.ts'
import { isInRanges } from './plan-want-ranges.ts'

export interface PeerReport {
  readonly status: EntriesStatus
  /** Whether both indexes were the same when it said so. */
  readonly equal: boolean
  readonly atMs: number
}

/** A pace is that of the last so many milliseconds, or of up to twice as many. */
const PACE_MS = 60_000
/** Peers that are remembered; the one that reported longest ago is forgotten first. */
const PEERS_MAX = 1000
/** Times at which entries came late that are remembered; with more of them nothing is believed. */
const LATE_BUCKETS_MAX = 1024

interface Belief {
  readonly report: PeerReport
  /** When both indexes were last known to be the same: it has the entries of before. */
  equalMs: number | undefined
  /** Where entries became current here since then that are older. */
  readonly lateBuckets: Set<number>
  /** An earlier report that lacked as much or more: how fast it gets what it lacks. */
  readonly since: PeerReport
  /** The one from which on that is told after a while. */
  readonly next: PeerReport
  /** Whether an entry became current here since the report. */
  outdated: boolean
}

export class PeerBeliefs {
  readonly #beliefs = new Map<string, Belief>()

  /** A peer has said something of itself. */
  note(peerId: string, report: PeerReport): void {
    const before = this.#beliefs.get(peerId)
    const { equal, atMs } = report
    this.#beliefs.delete(peerId)
    this.#beliefs.set(peerId, {
      report,
      equalMs: equal ? atMs : before?.equalMs,
      lateBuckets: equal ? new Set() : (before?.lateBuckets ?? new Set()),
      ...paceOf(before, report),
      outdated: false
    })
    if (this.#beliefs.size > PEERS_MAX) {
      this.#beliefs.delete(this.#beliefs.keys().next().value as string)
    }
  }

  /** Entries have become current here: whether others have them is not known yet. */
  doubt(entries: readonly Entry[]): void {
    for (const belief of this.#beliefs.values()) {
      belief.outdated = true
      for (const { version } of entries) {
        const ms = versionMs(version)
        if (belief.equalMs === undefined || ms > belief.equalMs) continue
        belief.lateBuckets.add(bucketAt(ms))
        if (belief.lateBuckets.size > LATE_BUCKETS_MAX) belief.equalMs = undefined
      }
    }
  }

  /** Any may have, and which ones is not known. */
  doubtAll(): void {
    for (const belief of this.#beliefs.values()) {
      belief.outdated = true
      belief.equalMs = undefined
    }
  }

  /** A peer has come: it may have lost its disk, so what it said before counts no more. */
  forget(peerId: string): void {
    this.#beliefs.delete(peerId)
  }

  /** What a peer said last; undefined if it has not since it came. */
  report(peerId: string): PeerReport | undefined {
    return this.#beliefs.get(peerId)?.report
  }

  /** Whether more has happened here since a peer's report. */
  isOutdated(peerId: string): boolean {
    return this.#beliefs.get(peerId)?.outdated ?? true
  }

  /** Peers that have said something of themselves, also those that are gone. */
  peers(): readonly string[] {
    return [...this.#beliefs.keys()]
  }

  /**
   * Whether a peer holds the blob of an entry of this time, durably, by its own words: it had all
   * entries of that time, and its blob is not among those that it lacks.
   */
  holds(peerId: string, entryMs: number): boolean {
    const { report, equalMs, lateBuckets } = this.#beliefs.get(peerId) ?? {}
    if (report === undefined || equalMs === undefined || entryMs > equalMs) return false
    const bucket = bucketAt(entryMs)
    return !lateBuckets?.has(bucket) && !isInRanges(report.status.wantRanges, bucket)
  }

  /** Buckets outside of which a peer holds all, by `holds`. */
  unheld(peerId: string): BucketRanges {
    const { report, equalMs, lateBuckets } = this.#beliefs.get(peerId) ?? {}
    if (report === undefined || equalMs === undefined) return ALL_BUCKETS
    const late = [...(lateBuckets ?? [])].map((bucket) => ({ from: bucket, to: bucket }))
    const young = { from: bucketAt(equalMs), to: BUCKET_MAX }
    return unionOf([...report.status.wantRanges, ...late, young])
  }

  /** Seconds until a peer has what it lacks, at the pace of its reports; undefined if unknown. */
  etaSeconds(peerId: string): number | undefined {
    const { report, since } = this.#beliefs.get(peerId) ?? {}
    if (report === undefined || since === undefined) return undefined
    const { wantsFiles, wantsBytes } = report.status
    if (wantsFiles === 0) return 0
    const bytes = since.status.wantsBytes - wantsBytes
    const ms = report.atMs - since.atMs
    return bytes > 0 && ms > 0 ? Math.ceil((wantsBytes * ms) / bytes / 1000) : undefined
  }
}

/** From which report on the pace of a peer is told: a recent one, but an earlier one. */
function paceOf(before: Belief | undefined, report: PeerReport): Pick<Belief, 'since' | 'next'> {
  const isMore = ({ status }: PeerReport) => status.wantsBytes > report.status.wantsBytes
  if (before === undefined) return { since: report, next: report }
  const { since, next } = before
  if (Math.abs(report.atMs - next.atMs) >= PACE_MS) return { since: next, next: report }
  return isMore(since) ? { since, next } : { since: report, next: report }
}
