// Beginnings of blobs that nobody wants any more go.

import type { FlowParts } from './parts.ts'

/** All of them, for the room that they take. */
export function dropPartials({ store }: Pick<FlowParts, 'store'>): void {
  for (const hash of store.partials()) store.dropPartial(hash)
}

/** They are few: cheap enough for every pass over the wants. */
export function sweepPartials({ index, store }: Pick<FlowParts, 'index' | 'store'>): void {
  for (const hash of store.partials()) {
    const row = index.blob(hash)
    if (row?.want === undefined) store.dropPartial(hash)
  }
}
