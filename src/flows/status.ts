// What is true of this node, for people and monitors. A status that says healthy while something is
// wrong is a bug.

import type { Counts } from '../index/rows.ts'
import { sayBrake } from './brakes.ts'
import { indexTroubles } from './check-index.ts'
import type { FlowParts } from './parts.ts'

export type Health = 'healthy' | 'degraded' | 'read_only' | 'critical'

export interface DiskStatus {
  readonly total: number
  readonly used: number
  readonly free: number
  readonly reserved: number
  /** Undefined where the file system makes them as needed. */
  readonly inodesTotal?: number | undefined
  readonly inodesFree: number
  readonly state: 'ok' | 'low' | 'full'
  /** Since then, or since the node has started. */
  readonly sinceMs: number
}

/**
 * online: has what this node has. syncing: not yet, or that is not known yet. away: said so, or
 * offline for days. refused: one of the two does not let the other in.
 */
export type ServerState = 'online' | 'syncing' | 'offline' | 'away' | 'refused'

/** Another server, by what it said of itself. */
export interface ServerStatus {
  readonly name: string
  readonly peerId: string
  readonly state: ServerState
  /** Of the connection, else under which it was last; a multiaddr. */
  readonly address: string | undefined
  readonly httpPort: number | undefined
  readonly addresses: readonly string[]
  /** Undefined while there is no connection. */
  readonly connectedAtMs: number | undefined
  /** Now, while it is connected; undefined if it never was. */
  readonly lastSeenMs: number | undefined
  /** When it last said what it has and lacks; undefined: not since it came. */
  readonly comparedAtMs: number | undefined
  /** What it lacks, by its last word. */
  readonly missingFiles: number | undefined
  readonly missingBytes: number | undefined
  /** Until it lacks nothing, at its present pace. */
  readonly etaSeconds: number | undefined
  readonly latencyMs: number | undefined
  /** Its clock minus ours. */
  readonly clockOffsetMs: number | undefined
  /** Whether its disk takes images, by its last word. */
  readonly disk: { readonly state: DiskStatus['state']; readonly sinceMs: number } | undefined
  /** Streams of it that ended in an error here, since the start. */
  readonly faults: number
  /** Why there is no connection, or no sync, with the remedy. */
  readonly lastError: string | undefined
}

export interface NodeStatus {
  readonly health: Health
  /** Plain sentences: what is wrong and what to do, or what to know. */
  readonly reasons: readonly string[]
  readonly counts: Counts
  readonly disk: DiskStatus
  /** Damaged and foreign files that were set aside, for a person to look at. */
  readonly quarantinedFiles: number
}

export interface StatusSources {
  readonly flows: Pick<FlowParts, 'index' | 'store' | 'brakes' | 'clock' | 'scanner'>
  readonly disk: () => DiskStatus
  readonly quarantinedFiles: () => number
  /**
   * False when the marker of the data folder is gone: another disk may be mounted there, or none.
   */
  readonly folderPresent: () => boolean
  /** What is wrong between this node and the others: plain sentences. */
  readonly meshTroubles?: () => readonly string[]
  /** What a person may want to know though nothing is wrong. */
  readonly notes?: () => readonly string[]
}

export function statusOf({
  flows,
  disk,
  quarantinedFiles,
  folderPresent,
  meshTroubles,
  notes
}: StatusSources): NodeStatus {
  const { index, store, brakes } = flows
  const counts = index.counts()
  const space = disk()
  const critical = [
    ...(index.fault === undefined ? [] : [index.fault.message]),
    ...(store.fault === undefined
      ? []
      : [`${store.fault.message} Then restart the node: until then it takes nothing in.`]),
    ...brakes.all().map(sayBrake),
    ...(folderPresent()
      ? []
      : ['The data folder has lost its marker .tumesh: is its disk still mounted?'])
  ]
  const degraded = [
    ...(counts.damagedImages === 0
      ? []
      : [`${images(counts.damagedImages)} damaged on disk; the damaged bytes are in quarantine/.`]),
    ...(counts.missingImages === 0
      ? []
      : [`${images(counts.missingImages)} missing: the files are gone from blobs/.`]),
    ...(counts.reviewImages === 0 ? [] : [reviewReason(counts.reviewImages)]),
    ...scannerTroubles(flows),
    ...indexTroubles(flows),
    ...(space.state === 'ok' ? [] : [diskReason(space)]),
    ...(meshTroubles?.() ?? [])
  ]
  return {
    health:
      critical.length > 0
        ? 'critical'
        : space.state === 'full'
          ? 'read_only'
          : degraded.length > 0
            ? 'degraded'
            : 'healthy',
    reasons: [...critical, ...degraded, ...(notes?.() ?? [])],
    counts,
    disk: space,
    quarantinedFiles: quarantinedFiles()
  }
}

function scannerTroubles({ scanner }: StatusSources['flows']): string[] {
  if (scanner?.fault === undefined) return []
  const then =
    scanner.unseen() === 0
      ? 'uploads are refused'
      : `images are taken in all the same, and ${scanner.unseen()} wait to be scanned`
  return [`The virus scanner does not answer (${scanner.fault}): ${then}.`]
}

function reviewReason(count: number): string {
  return (
    `${count === 1 ? '1 image waits' : `${count} images wait`} for review: another server may have deleted ` +
    `${count === 1 ? 'it' : 'them'} long ago. GET /api/review lists, POST /api/review restores or discards.`
  )
}

function images(count: number): string {
  return count === 1 ? '1 image is' : `${count} images are`
}

function diskReason({ state }: DiskStatus): string {
  return state === 'full'
    ? 'The disk is full up to its reserve: uploads are refused until there is room. Deleting works.'
    : 'The disk is nearly full.'
}
