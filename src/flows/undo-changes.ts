// Takes back what a mass of deletions and replacements did: every image that ceased to be current
// since then comes back as it was before.

import type { Entry } from '../../protocols/entry.ts'
import type { TaskControl } from '../base/task-board.ts'
import { imagesChangedSince } from './mass-changes.ts'
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
  control: TaskControl,
  onRestored: (entry: Entry) => void
): Promise<Undone> {
  const undone: Undone = { restored: 0, failed: 0 }
  let seen = 0
  for await (const { path, before } of imagesChangedSince(parts.index, sinceMs)) {
    control.signal.throwIfAborted()
    control.total(++seen)
    try {
      const { entry, outcome } = await restore(parts, path, before.hash)
      if (outcome === 'restored') {
        undone.restored++
        onRestored(entry)
      }
    } catch (error) {
      undone.failed++
      control.error(path, error)
    }
    control.processed(seen)
  }
  return undone
}
