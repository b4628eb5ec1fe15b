// What is true of this node, for people and monitors. A status that says healthy while something is wrong is a bug.

import type { Counts } from '../index/rows.ts'
import type { FlowParts } from './parts.ts'

export type Health = 'healthy' | 'degraded' | 'read_only' | 'critical'

export interface DiskStatus {
  readonly total: number
  readonly used: number
  readonly free: number
  readonly reserved: number
  readonly inodesFree: number
  readonly state: 'ok' | 'low' | 'full'
}

export interface NodeStatus {
  readonly health: Health
  /** Plain sentences: what is wrong and what to do. Empty when healthy. */
  readonly reasons: readonly string[]
  readonly counts: Counts
  readonly disk: DiskStatus
  /** Files that images/ lacks or has too many of, and moves that are under way. */
  readonly quarantinedFiles: number
}

export interface StatusSources {
  readonly flows: Pick<FlowParts, 'index'>
  readonly disk: () => DiskStatus
  readonly quarantinedFiles: () => number
  /** False when the marker of the data folder is gone: another disk may be mounted there, or none. */
  readonly folderPresent: () => boolean
}

export function statusOf({
  flows,
  disk,
  quarantinedFiles,
  folderPresent
}: StatusSources): NodeStatus {
  const { index } = flows
  const counts = index.counts()
  const space = disk()
  const critical = [
    ...(index.fault === undefined ? [] : [index.fault.message]),
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
    ...(space.state === 'ok' ? [] : [diskReason(space)])
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
    reasons: [...critical, ...degraded],
    counts,
    disk: space,
    quarantinedFiles: quarantinedFiles()
  }
}

function images(count: number): string {
  return count === 1 ? '1 image is' : `${count} images are`
}

function diskReason({ state }: DiskStatus): string {
  return state === 'full'
    ? 'The disk is full up to its reserve: uploads are refused until there is room. Deleting works.'
    : 'The disk is nearly full.'
}
