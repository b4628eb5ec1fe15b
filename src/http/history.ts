// What happened to a path, from the versions that are kept of it and the node's last events.

import { z } from 'zod'
import { type Entry, isImage } from '../../protocols/entry.ts'
import { versionMs } from '../../protocols/version.ts'
import type { JournalLine } from '../flows/journal.ts'
import type { PastVersion } from '../index/rows.ts'
import { isoTime } from './describe-image.ts'

export const historyShape = z.array(
  z.object({
    at: z.iso.datetime(),
    event: z.enum([
      'added',
      'replaced',
      'restored',
      'deleted',
      'adopted',
      'damaged',
      'missing',
      'healed'
    ]),
    node: z.string().nullable().describe('Name of the node, else its peer id'),
    sha256: z.string().nullable(),
    conflict: z.boolean().describe('Two nodes wrote at one time, and the other version won')
  })
)

export type HistoryLine = z.output<typeof historyShape>[number]

export interface HistorySources {
  readonly current: Entry
  /** Newest first. */
  readonly past: readonly PastVersion[]
  readonly journal: readonly JournalLine[]
  /** The node whose journal it is. */
  readonly nodeName: string
  readonly nameOf: (writer: string) => string
}

/** Oldest first. */
export function historyOf(sources: HistorySources): HistoryLine[] {
  const versions = [...sources.past.map(({ entry }) => entry).reverse(), sources.current]
  const lines = versions.flatMap((entry, at) =>
    linesOfVersion(entry, versions[at - 1], versions[at + 1], sources)
  )
  return [...lines, ...faultLines(versions, sources)].sort((a, b) =>
    a.at < b.at ? -1 : a.at > b.at ? 1 : 0
  )
}

/**
 * A version, and before it the deletion of the one before, which only a gap between the two tells
 * of.
 */
function linesOfVersion(
  entry: Entry,
  before: Entry | undefined,
  after: Entry | undefined,
  { nameOf }: HistorySources
): HistoryLine[] {
  const line: HistoryLine = {
    at: isoTime(versionMs(entry.version)),
    event: 'added',
    node: nameOf(entry.writer),
    sha256: entry.hash ?? null,
    conflict: after !== undefined && (after.replaces ?? 0n) < entry.version
  }
  if (!isImage(entry)) return [{ ...line, event: 'deleted' }]
  if (before === undefined) {
    // what it replaced is no longer kept: a version or a deletion, nobody knows
    return [{ ...line, event: entry.replaces === undefined ? 'added' : 'replaced' }]
  }
  const { replaces = 0n } = entry
  if (replaces <= before.version) return [{ ...line, event: 'replaced' }]
  const deletion: HistoryLine = {
    at: isoTime(versionMs(replaces)),
    event: 'deleted',
    node: null,
    sha256: null,
    conflict: false
  }
  return [deletion, { ...line, event: entry.hash === before.hash ? 'restored' : 'added' }]
}

/**
 * Damage, loss and healing of the bytes that the path names or named; journals say them by hash.
 */
function faultLines(
  versions: readonly Entry[],
  { journal, nodeName }: HistorySources
): HistoryLine[] {
  const hashes = new Set<string | undefined>(versions.flatMap(({ hash }) => hash ?? []))
  return journal.flatMap(({ at, event, path, sha256 }) => {
    if (event !== 'damaged' && event !== 'missing' && event !== 'healed') return []
    if (sha256 === undefined || !hashes.has(sha256)) return []
    if (path !== undefined && path !== versions.at(-1)?.path) return []
    return [{ at, event, node: nodeName, sha256, conflict: false }]
  })
}
