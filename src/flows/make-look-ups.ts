// Makes the look-ups by id and MD5 that were left for later while very many entries came. Until
// then who asks for one has what waits looked through.

import { type Clock, sleep } from '../base/clock.ts'
import type { ImageIndex } from '../index/image-index.ts'

/** In so long a time there is nearly nothing new when the node rests. */
const REST_MS = 1000
const NEW_MAX = 256

/** Goes on until all are made, or until very many entries come again. */
export async function makeLookUps(
  { index, clock }: { readonly index: ImageIndex; readonly clock: Clock },
  signal: AbortSignal
): Promise<void> {
  if (index.fault !== undefined) return
  let before = entriesIn(index)
  let sinceMs = clock.monotonicMs()
  await sleep(clock, REST_MS, signal)
  for (;;) {
    const beganMs = clock.monotonicMs()
    if (Math.abs(entriesIn(index) - before) > NEW_MAX) return
    if (!(await index.makeLookUps())) return
    const tookMs = clock.monotonicMs() - beganMs
    await sleep(clock, tookMs, signal) // half of the time is for others
    if (clock.monotonicMs() - sinceMs < REST_MS) continue
    before = entriesIn(index)
    sinceMs = clock.monotonicMs()
  }
}

function entriesIn(index: ImageIndex): number {
  const { live, dead } = index.root()
  return live + dead
}
