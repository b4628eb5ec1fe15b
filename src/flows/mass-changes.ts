// What was deleted, replaced or blocked here since a brake counts: what a person confirms, or what
// an undo takes back. It is read from the index, so a restart changes nothing about it.

import { type Entry, type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { versionMs } from '../../protocols/version.ts'
import type { ImageIndex } from '../index/image-index.ts'
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

/** Images that are not what they were at this local time, the first that changed first. */
export async function* imagesChangedSince(
  index: Pick<ImageIndex, 'pastSince' | 'get'>,
  sinceMs: number
): AsyncGenerator<ChangedImage> {
  const seen = new Set<string>()
  for await (const { entry: before, sinceMs: atMs } of index.pastSince(sinceMs)) {
    // the first that ceased to be current is the one that was before
    if (seen.has(before.path)) continue
    seen.add(before.path)
    const path = before.path as ImagePath
    const now = index.get(path)
    if (now === undefined || !isImage(before)) continue
    if (isImage(now) && now.hash === before.hash) continue
    yield { path, before, now, atMs }
  }
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
