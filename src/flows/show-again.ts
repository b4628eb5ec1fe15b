// Files that have gone from images/ come back: deleting an image is done through the node.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { FlowParts } from './parts.ts'
import { PATHS_MAX } from './settle.ts'

/** Makes those views of a blob anew that are gone. What others put there stays. */
export async function showAgain(parts: FlowParts, hash: ContentHash): Promise<void> {
  if (!parts.view.isOn) return
  for (const path of await parts.index.pathsOf(hash, PATHS_MAX)) await showIfGone(parts, path)
}

export async function showIfGone(parts: FlowParts, path: ImagePath): Promise<void> {
  const { index, view } = parts
  if (!view.isOn) return
  const row = index.view(path)
  if (row !== undefined && !view.has(row.name)) await showGone(parts, path)
}

/** Makes the view of a path anew, also where the file that has gone was its writer's own. */
export async function showGone({ index, settler }: FlowParts, path: ImagePath): Promise<void> {
  await index.change(
    (tx) => {
      const row = tx.view(path)
      if (row?.writer !== undefined) tx.setView(path, { ...row, writer: undefined })
      tx.addIntent('view', path)
    },
    { durable: false }
  )
  await settler.settleView(path)
}
