// Waits for what is to come true, and says what was seen instead if it does not.

import { setTimeout as sleep } from 'node:timers/promises'

/** Something the demo promised is not so; the message is for a person. */
export class NotSo extends Error {}

export interface Patience {
  readonly withinMs: number
  /** Between two looks. */
  readonly everyMs?: number
}

/**
 * Looks until `look` gives undefined; before that it gives what is seen instead. Throws NotSo after
 * `withinMs`. What `look` throws ends the waiting.
 */
export async function comesTrue(
  { withinMs, everyMs = 20 }: Patience,
  look: () => Promise<string | undefined>
): Promise<void> {
  const end = performance.now() + withinMs
  for (;;) {
    const seen = await look()
    if (seen === undefined) return
    if (performance.now() > end) throw new NotSo(`After ${withinMs / 1000} s still: ${seen}`)
    await sleep(everyMs)
  }
}
