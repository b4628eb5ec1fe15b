// What is true of this node, for people and monitors. A status that says healthy while something is
// wrong is a bug.

import { type Cause, causeOf } from '../base/cause.ts'
import type { NodeError } from '../base/errors.ts'
import { formatSize } from '../base/units.ts'
import { isDamage } from '../index/database-error.ts'
import type { Counts } from '../index/rows.ts'
import { BLOCKS_MAX, BLOCKS_PER_WRITER_MAX } from './blocks.ts'
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
  /** The same, for programs. */
  readonly lastCause?: Cause | undefined
}

export interface NodeStatus {
  readonly health: Health
  /** Plain sentences: what is wrong and what to do, or what to know. */
  readonly reasons: readonly string[]
  /** The same, for programs. */
  readonly causes: readonly Cause[]
  readonly counts: Counts
  readonly disk: DiskStatus
  /** Damaged and foreign files that were set aside, for a person to look at. */
  readonly quarantinedFiles: number
}

export interface StatusSources {
  readonly flows: Pick<
    FlowParts,
    'index' | 'store' | 'brakes' | 'blocks' | 'clock' | 'scanner' | 'settler'
  >
  readonly disk: () => DiskStatus
  readonly quarantinedFiles: () => number
  /**
   * False when the marker of the data folder is gone: another disk may be mounted there, or none.
   */
  readonly folderPresent: () => boolean
  /** What is wrong between this node and the others. */
  readonly meshTroubles?: () => readonly Cause[]
  /** What a person may want to know though nothing is wrong. */
  readonly notes?: () => readonly Cause[]
}

export function statusOf({
  flows,
  disk,
  quarantinedFiles,
  folderPresent,
  meshTroubles,
  notes
}: StatusSources): NodeStatus {
  const { index, brakes } = flows
  const counts = index.counts()
  const space = disk()
  const critical = [
    ...ownFaults(flows),
    ...brakes.all().map(sayBrake),
    ...markerGone(folderPresent)
  ]
  const degraded = [
    ...lostImages(counts),
    ...unshownImages(flows),
    ...(counts.reviewImages === 0 ? [] : [reviewCause(counts.reviewImages)]),
    ...scannerTroubles(flows),
    ...blockTroubles(flows),
    ...indexTroubles(flows),
    ...(space.state === 'ok' ? [] : [diskCause(space)]),
    ...(meshTroubles?.() ?? [])
  ]
  const causes = [...critical, ...degraded, ...(notes?.() ?? [])]
  return {
    health:
      critical.length > 0
        ? 'critical'
        : space.state === 'full'
          ? 'read_only'
          : degraded.length > 0
            ? 'degraded'
            : 'healthy',
    causes,
    reasons: causes.map(({ text }) => text),
    counts,
    disk: space,
    quarantinedFiles: quarantinedFiles()
  }
}

/** Of the index and the disk. */
function ownFaults({ index, store }: Pick<FlowParts, 'index' | 'store'>): Cause[] {
  const then = 'Then restart the node: until then it takes nothing in.'
  return [
    ...(index.fault === undefined ? [] : [causeOf(indexFault(index.fault), index.fault.message)]),
    ...(store.fault === undefined
      ? []
      : [causeOf('disk_fault', `${store.fault.message} ${then}`, { detail: store.fault.message })])
  ]
}

function indexFault(fault: NodeError): string {
  if (fault.code === 'DISK_FULL') return 'index_no_room'
  return isDamage(fault) ? 'index_damage' : 'index_fault'
}

function markerGone(folderPresent: () => boolean): Cause[] {
  if (folderPresent()) return []
  const text =
    'The data folder has lost its marker .tumesh: is its disk still mounted? Until the marker is ' +
    'back nothing is taken in or deleted; images are still served.'
  return [causeOf('marker_gone', text)]
}

function lostImages({ damagedImages, missingImages }: Counts): Cause[] {
  const damaged = `${images(damagedImages)} damaged on disk; the damaged bytes are in quarantine/.`
  const missing = `${images(missingImages)} missing: the files are gone from blobs/.`
  return [
    ...(damagedImages === 0 ? [] : [causeOf('images_damaged', damaged, { count: damagedImages })]),
    ...(missingImages === 0 ? [] : [causeOf('images_missing', missing, { count: missingImages })])
  ]
}

/** What a person mends by giving the folder to the user of the node. */
const DENIED: readonly string[] = ['EACCES', 'EPERM']

function unshownImages({ settler }: StatusSources['flows']): Cause[] {
  const obstacle = settler.unsettled.obstacle
  if (obstacle === undefined) return []
  const { count, subject: path, error } = obstacle
  const many = count === 1 ? '1 image' : `${count} images`
  const what = `images/ does not show ${many} as it should, ${path} among them (${error})`
  const denied = `${what}: let the user of this node write to its folder. ${STILL_SEEN}`
  const failed = `${what}: look at the disk and the system's log. ${STILL_SEEN}`
  const about = { count, path, error }
  return DENIED.includes(error)
    ? [causeOf('images_unshown', denied, about)]
    : [causeOf('images_unshown_fault', failed, about)]
}

const STILL_SEEN = 'What was deleted may still be seen there.'

function scannerTroubles({ scanner }: StatusSources['flows']): Cause[] {
  return [...scannerLimit(scanner), ...scannerSilence(scanner)]
}

function scannerLimit(scanner: StatusSources['flows']['scanner']): Cause[] {
  if (scanner?.limit === undefined) return []
  const size = formatSize(scanner.limit)
  const text = `The virus scanner takes no image of ${size} or more, so such images are not scanned. Set StreamMaxLength in its clamd.conf to file_storage.max_file_size at least.`
  return [causeOf('scanner_limit', text, { size })]
}

function scannerSilence(scanner: StatusSources['flows']['scanner']): Cause[] {
  if (scanner?.fault === undefined) return []
  const unseen = scanner.unseen()
  const then =
    unseen === 0
      ? 'uploads are refused'
      : `images are taken in all the same, and ${unseen} wait to be scanned`
  const text = `The virus scanner does not answer (${scanner.fault}): ${then}.`
  const code = unseen === 0 ? 'scanner_silent' : 'scanner_silent_accepting'
  return [causeOf(code, text, { detail: scanner.fault, count: unseen })]
}

function blockTroubles({ blocks }: StatusSources['flows']): Cause[] {
  const { leftOut } = blocks.waiting
  if (leftOut === 0) return []
  const text = `${leftOut} blocked hashes are more than there is room for (${BLOCKS_PER_WRITER_MAX} of one server, ${BLOCKS_MAX} of all): they block nothing here. GET /api/blocks lists those that do.`
  return [causeOf('blocks_left_out', text, { count: leftOut })]
}

function reviewCause(count: number): Cause {
  return causeOf(
    'review',
    `${count === 1 ? '1 image waits' : `${count} images wait`} for review: another server may have deleted ` +
      `${count === 1 ? 'it' : 'them'} long ago. GET /api/review lists, POST /api/review restores or discards.`,
    { count }
  )
}

function images(count: number): string {
  return count === 1 ? '1 image is' : `${count} images are`
}

function diskCause({ state }: DiskStatus): Cause {
  const full =
    'The disk is full up to its reserve: uploads are refused until there is room. Deleting works.'
  return state === 'full'
    ? causeOf('disk_full', full)
    : causeOf('disk_low', 'The disk is nearly full.')
}
