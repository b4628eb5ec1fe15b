// Names in images/ that the view has made, where the disk could not hold the path itself: a file
// that has one is of that path, and no image of its own.

import { isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { ViewRow } from '../index/rows.ts'
import { isViewNameOf, mayBeMade } from '../store/plan-view-name.ts'
import type { FlowParts } from './parts.ts'
import { type FoundPlan, INTENT_MS } from './plan-adopt.ts'

/** Paths of one image that are looked at: so many with names made by the view are unheard of. */
const PATHS_MAX = 1000

/**
 * What to do with a file under a name that the view made for this path; undefined if that is for
 * the file to say. Under a name that the path has no more it would come back as another image,
 * perhaps one that was deleted.
 */
export function planMade(
  { index, view }: Pick<FlowParts, 'index' | 'view'>,
  name: string,
  path: ImagePath
): FoundPlan | undefined {
  const current = index.get(path)
  const shown = index.view(path)
  if (current === undefined || shown?.name === name) return undefined
  if (index.intent('view', path) !== undefined) return { do: 'wait', ms: INTENT_MS }
  const isYetToBeShown = isImage(current) && shown === undefined
  if (!view.isOn || isYetToBeShown) return { do: 'leave' }
  if (view.isWritable(name)) {
    return { do: 'refuse', why: `images/ gives this name to ${path}: rename it` }
  }
  return { do: 'set aside', why: `it shows what ${path} was` }
}

/**
 * Whether the view made this file, perhaps that of an earlier index: under a name of its own
 * making, which is too short to say the path.
 */
export async function isOfView(
  { index }: Pick<FlowParts, 'index'>,
  hash: ContentHash,
  name: string
): Promise<boolean> {
  if (!mayBeMade(name)) return false
  const paths = await index.pathsOf(hash, PATHS_MAX)
  return paths.some((path) => index.view(path)?.name === name || isViewNameOf(name, path))
}

/**
 * The view showed the path by this file, before it took over another that was found: nobody would
 * know of it any more. A crash before that leaves it to `planMade`.
 */
export async function hideFormer(
  { index, view, locks }: Pick<FlowParts, 'index' | 'view' | 'locks'>,
  path: ImagePath,
  former: ViewRow | undefined
): Promise<void> {
  if (former === undefined || index.view(path)?.name === former.name) return
  await locks.path.run(path, async () => {
    if (index.view(path)?.name !== former.name) await view.hide(former)
  })
}
