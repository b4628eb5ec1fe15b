// Takes back what a mass of deletions and replacements did: every image that ceased to be current
// since then comes back as it was before.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { TaskControl } from '../base/task-board.ts'
import type { FlowParts } from './parts.ts'
import { restore } from './restore.ts'

export interface Undone {
  restored: number
  failed: number
}

/** Restores, of every path, the version that was current at this local time. */
export async function undoChanges(
  parts: FlowParts,
  sinceMs: number,
  control: TaskControl
): Promise<Undone> {
  const undone: Undone = { restored: 0, failed: 0 }
  const seen = new Set<ImagePath>()
  for await (const { entry } of parts.index.pastSince(sinceMs)) {
    control.signal.throwIfAborted()
    const path = entry.path as ImagePath
    // the first that ceased to be current is the one that was before
    if (seen.has(path)) continue
    seen.add(path)
    control.total(seen.size)
    try {
      const { outcome } = await restore(parts, path, entry.hash as ContentHash)
      if (outcome === 'restored') undone.restored++
    } catch (error) {
      undone.failed++
      control.error(path, (error as Error).message)
    }
    control.processed(seen.size)
  }
  return undone
}
