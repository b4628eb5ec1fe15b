// Beginnings of blobs that nobody wants any more go.

import type { FlowParts } from './parts.ts'

/** They are few: cheap enough for every pass over the wants. */
export function sweepPartials({ index, store }: Pick<FlowParts, 'index' | 'store'>): void {
  for (const hash of store.partials()) {
    const row = index.blob(hash)
    const isHere = row?.state === 'held' || row?.state === 'trashed'
    if (row === undefined || row.live === 0 || isHere) store.dropPartial(hash)
  }
}
