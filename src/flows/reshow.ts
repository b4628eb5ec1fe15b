// images/ is made anew after its way of showing the blobs was changed: switched on or off, or to
// copies.

import type { ImagePath } from '../../protocols/path.ts'
import type { TaskControl } from '../base/task-board.ts'
import type { FlowParts } from './parts.ts'

const NAME = 'view'
const GROUP_PATHS = 256

/** Whether images/ was last made in another way. */
export function isReshowNeeded({ index }: Pick<FlowParts, 'index'>, mode: string): boolean {
  return index.meta(NAME) !== mode
}

/**
 * Settles the view of every image, then notes that it is shown in this `mode`. One that was broken
 * off is begun again. Rejects when the signal is aborted or the index fails.
 */
export async function reshow(
  { index, settler }: Pick<FlowParts, 'index' | 'settler'>,
  mode: string,
  { signal, total, processed }: Pick<TaskControl, 'signal' | 'total' | 'processed'>
): Promise<void> {
  let count = 0
  let group: ImagePath[] = []
  const settleGroup = async () => {
    const paths = group
    group = []
    await index.change((tx) => {
      for (const path of paths) tx.addIntent('view', path)
    })
    for (const path of paths) await settler.settleView(path)
    count += paths.length
    processed(count)
  }
  total(index.counts().images)
  for await (const { path } of index.list()) {
    signal.throwIfAborted()
    group.push(path)
    if (group.length === GROUP_PATHS) await settleGroup()
  }
  await settleGroup()
  await index.change((tx) => tx.setMeta(NAME, mode))
}
