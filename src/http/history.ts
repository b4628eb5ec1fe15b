// What happened to a path, from the versions that are kept of it and the node's last events.

import { z } from 'zod'
import { type Entry, isImage } from '../../protocols/entry.ts'
import { versionMs } from '../../protocols/version.ts'
import { isoTime } from '../base/iso-time.ts'
import type { JournalLine } from '../flows/journal.ts'

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
    conflict: z
      .boolean()
      .describe('Two nodes wrote without knowing of each other, and the other version won')
  })
)

export type HistoryLine = z.output<typeof historyShape>[number]

export interface HistorySources {
  /** Of one path: newest first, the current one included. */
  readonly versions: readonly Entry[]
  readonly journal: readonly JournalLine[]
  /** The node whose journal it is. */
  readonly nodeName: string
  readonly nameOf: (writer: string) => string
}

/** Oldest first. */
export function historyOf(sources: HistorySources): HistoryLine[] {
  const versions = sources.versions.toReversed()
  const lines = versions.flatMap((_, at) => linesOfVersion(versions, at, sources))
  return [...lines, ...faultLines(versions, sources)].sort((a, b) =>
    a.at < b.at ? -1 : a.at > b.at ? 1 : 0
  )
}

/**
 * A version, and before it the deletion of the one before where only a gap between the two tells of
 * it.
 */
function linesOfVersion(
  versions: readonly Entry[],
  at: number,
  { nameOf }: HistorySources
): HistoryLine[] {
  const entry = versions[at] as Entry
  const line = {
    at: isoTime(versionMs(entry.version)),
    node: nameOf(entry.writer),
    sha256: entry.hash ?? null,
    conflict: isConflict(versions, at)
  }
  if (!isImage(entry)) return [{ ...line, event: 'deleted' }]
  const before = versions[at - 1]
  if (before === undefined) {
    // what it replaced is no longer kept: a version or a deletion, nobody knows
    return [{ ...line, event: entry.replaces === undefined ? 'added' : 'replaced' }]
  }
  const last = versions.slice(0, at).findLast(isImage)
  const back = entry.hash === last?.hash ? 'restored' : 'added'
  if (before.deleted) return [{ ...line, event: back }]
  const { replaces = 0n } = entry
  if (replaces <= before.version) return [{ ...line, event: 'replaced' }]
  const deletion: HistoryLine = {
    at: isoTime(versionMs(replaces)),
    event: 'deleted',
    node: null,
    sha256: null,
    conflict: false
  }
  return [deletion, { ...line, event: back }]
}

/**
 * A version that lost against one that did not know of it. What replaced it may be known itself;
 * else the next one tells: whoever replaced something later than this one had seen an end of it.
 */
function isConflict(versions: readonly Entry[], at: number): boolean {
  const entry = versions[at] as Entry
  const after = versions[at + 1]
  if (after === undefined) return false
  if (after.version === entry.version) return true
  if (versions.some(({ replaces }) => replaces === entry.version)) return false
  return (after.replaces ?? 0n) < entry.version
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
