// What was deleted, replaced or blocked here since a brake counts: what a person confirms, or what
// an undo takes back. It is read from the index, so a restart changes nothing about it.

import { type Entry, type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { versionMs } from '../../protocols/version.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { PastVersion } from '../index/rows.ts'
import type { KnownBlock } from './blocks.ts'
import type { FlowParts } from './parts.ts'
import type { Change } from './plan-confirmations.ts'

export interface ChangedImage {
  readonly path: ImagePath
  /** What the path showed then. */
  readonly before: ImageEntry
  readonly now: Entry
  /** When it ceased to show it, by this node's clock. */
  readonly atMs: number
}

/**
 * Paths that are remembered of one look, about 100 bytes each as long as it takes. Of one that was
 * forgotten the index is asked, which takes five times as long as all else.
 */
const SEEN_MAX = 200_000

type PastIndex = Pick<ImageIndex, 'pastSince' | 'pastOf' | 'get'>

/** Images that are not what they were at this local time, the first that changed first. */
export async function* imagesChangedSince(
  index: PastIndex,
  sinceMs: number,
  seenMax?: number
): AsyncGenerator<ChangedImage> {
  for await (const { changed } of lookThroughChanges(index, sinceMs, { seenMax })) {
    if (changed !== undefined) yield changed
  }
}

export interface LookedAt {
  /** To go on after it. */
  readonly place: string
  /** Undefined where it is not the first change of its image, or the image is as it was. */
  readonly changed: ChangedImage | undefined
}

/** The same for whoever must count what is looked at, from after a place on. */
export async function* lookThroughChanges(
  index: PastIndex,
  sinceMs: number,
  { after, seenMax = SEEN_MAX }: { after?: string | undefined; seenMax?: number | undefined } = {}
): AsyncGenerator<LookedAt> {
  const seen = new Set<string>()
  let areAllSeen = after === undefined
  for await (const { version, place } of index.pastSince(sinceMs, after)) {
    const { path } = version.entry
    // the first that ceased to be current is the one that was before
    const isAgain = seen.delete(path)
    seen.add(path)
    const wereAllSeen = areAllSeen
    if (seen.size > seenMax) {
      areAllSeen = false
      seen.delete(seen.values().next().value as string)
    }
    const isFirst = !isAgain && (wereAllSeen || (await isFirstSince(index, sinceMs, version)))
    yield { place, changed: isFirst ? changedBy(index, version) : undefined }
  }
}

function changedBy(
  index: PastIndex,
  { entry: before, sinceMs: atMs }: PastVersion
): ChangedImage | undefined {
  const path = before.path as ImagePath
  const now = index.get(path)
  if (now === undefined || !isImage(before)) return undefined
  if (isImage(now) && now.hash === before.hash) return undefined
  return { path, before, now, atMs }
}

/** Whether no other version of the path ceased to be current before this one did, since then. */
async function isFirstSince(
  index: Pick<PastIndex, 'pastOf'>,
  sinceMs: number,
  { entry, sinceMs: atMs }: PastVersion
): Promise<boolean> {
  for await (const other of index.pastOf(entry.path as ImagePath)) {
    const isBefore =
      other.sinceMs < atMs || (other.sinceMs === atMs && other.entry.version < entry.version)
    if (other.sinceMs >= sinceMs && isBefore) return false
  }
  return true
}

/** Blocks that take an image out of sight, or will. */
export function blocksSince(
  { index, blocks }: Pick<FlowParts, 'index' | 'blocks'>,
  sinceMs: number
): readonly KnownBlock[] {
  return blocks.since(sinceMs).filter(({ hash }) => (index.blob(hash)?.live ?? 0) > 0)
}

/** All of these, as what a confirmation is of. */
export async function* changesSince(
  parts: Pick<FlowParts, 'index' | 'blocks'>,
  sinceMs: number
): AsyncGenerator<Change> {
  for (const { writer, versionMs: ms } of blocksSince(parts, sinceMs)) yield { writer, ms }
  for await (const { now } of imagesChangedSince(parts.index, sinceMs)) {
    yield { writer: now.writer, ms: versionMs(now.version) }
  }
}

/** Whether the bytes of an image are here: others may have them too. */
export function isKept({ index }: Pick<FlowParts, 'index'>, hash: ContentHash): boolean {
  return ['held', 'trashed', 'blocked'].includes(index.blob(hash)?.state ?? '')
}
