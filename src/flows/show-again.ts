// Files that have gone from images/ come back: deleting an image is done through the node.

import type { ContentHash } from '../../protocols/hash.ts'
import type { FlowParts } from './parts.ts'
import { PATHS_MAX } from './settle.ts'

/** Makes those views of a blob anew that are gone; how many. What others put there stays. */
export async function showAgain(parts: FlowParts, hash: ContentHash): Promise<number> {
  const { index, view, settler } = parts
  if (!view.isOn) return 0
  let shown = 0
  for (const path of await index.pathsOf(hash, PATHS_MAX)) {
    const row = index.view(path)
    if (row === undefined || view.has(row.name)) continue
    await index.change((tx) => {
      if (tx.blob(hash)?.state === 'held') tx.addIntent('view', path)
    })
    await settler.settleView(path)
    shown++
  }
  return shown
}
