// The files of the index were damaged, and what could be read of them was put together anew. Rows
// are lost: images come back from images/, from blobs/ and from other servers, and what follows
// from entries is worked out again.

import { beginAnew } from '../index/open-index.ts'
import { checkIndexNow } from './check-index.ts'
import { findAgain } from './find-again.ts'
import type { FlowParts } from './parts.ts'
import { keepAllUnnamed } from './sweep-unnamed.ts'

/** To be done before anything else: what has lost its name must not be swept. */
export async function noteDamage(
  { index, random, log }: FlowParts,
  what: readonly string[]
): Promise<void> {
  log.error({ what }, 'the index was damaged on the disk; what could be read of it is used')
  await index.change((tx) => {
    keepAllUnnamed(tx)
    beginAnew(tx, { random })
  })
}

/** Makes what is left of a damaged index whole in itself again. */
export async function followDamage(parts: FlowParts, signal: AbortSignal): Promise<void> {
  const faults = await checkIndexNow(parts, signal)
  const found = await findAgain(parts, signal)
  signal.throwIfAborted()
  parts.index.upkeep.endDamage()
  parts.log.info({ faults, found }, 'the index is whole in itself again')
}

/** Puts an index together anew that has turned out to be damaged; false if it has not. */
export async function mendIndex(parts: FlowParts, signal: AbortSignal): Promise<boolean> {
  const { fault } = parts.index
  if (!(await parts.index.upkeep.mend())) return false
  await noteDamage(parts, [String((fault?.cause as Error | undefined)?.message)])
  await followDamage(parts, signal)
  return true
}

/** Does something that reads the index, once more if that shows it to be damaged. */
export async function orMend<T>(parts: FlowParts, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    const never = new AbortController().signal
    if (!parts.index.upkeep.noteFailure(error) || !(await mendIndex(parts, never))) throw error
    return task()
  }
}
