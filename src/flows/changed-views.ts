// View files that are not as they were made, by their rows and a look at each.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { ViewRow } from '../index/rows.ts'
import type { FoundFiles } from './adopt-file.ts'
import type { FlowParts } from './parts.ts'
import { isAsShown } from './plan-adopt.ts'

/** Rows that are compared with the disk at a time. */
const ROWS_AT_ONCE = 64

export interface ChangedView {
  readonly path: ImagePath
  readonly name: string
}

/** Without those that `isKnown` names. */
export async function* changedViews(
  { flows, found }: { readonly flows: FlowParts; readonly found: Pick<FoundFiles, 'look'> },
  isKnown: (name: string) => boolean,
  signal: AbortSignal
): AsyncGenerator<ChangedView> {
  const { index, clock } = flows
  const group: (readonly [ImagePath, ViewRow])[] = []
  const compare = async () => {
    const stamps = await Promise.all(group.map(([, { name }]) => found.look(name)))
    const nowMs = clock.now()
    const changed = group.filter(([, row], n) => {
      const file = stamps[n]
      if (isKnown(row.name)) return false
      if (file === undefined || file === 'folder') return true
      return !isAsShown({ file, blob: index.blob(row.hash as ContentHash), nowMs }, row)
    })
    group.length = 0
    return changed.map(([path, { name }]) => ({ path, name }))
  }
  for await (const row of index.views()) {
    signal.throwIfAborted()
    if (group.push(row) < ROWS_AT_ONCE) continue
    yield* await compare()
  }
  yield* await compare()
}
