// Start-up after a run that ended anywhere: what was in flight is finished or taken back.

import type { FlowParts } from './parts.ts'
import { beginRun } from './run-end.ts'
import { sweepPartials } from './sweep-partials.ts'
import { keepsUnnamed } from './sweep-unnamed.ts'

export interface RecoverReport {
  /** Blobs that were published but never reached the index: nobody was told of them. */
  readonly dropped: number
  /** Steps on disk that an earlier run left open. */
  readonly settled: number
  /** Whether the last run was broken off. */
  readonly wasBrokenOff: boolean
}

/**
 * Finishes what was in flight when the last run ended, however it ended. Costs nothing for what is
 * at rest.
 */
export async function recover(flows: FlowParts): Promise<RecoverReport> {
  const { index, store, settler, log } = flows
  const wasBrokenOff = await beginRun(index)
  let dropped = 0
  for (const leftover of store.leftovers()) {
    if (!isInPlace(index.blob(leftover.hash)?.state) && !keepsUnnamed(index)) {
      await store.remove(leftover.hash)
      dropped++
    }
    store.removeLeftover(leftover)
  }
  sweepPartials(flows)
  const settled = await settler.settleAll({ afterCrash: true })
  await settler.idle()
  if (dropped + settled > 0) log.info({ dropped, settled }, 'finished what the last run left open')
  return { dropped, settled, wasBrokenOff }
}

function isInPlace(state: string | undefined): boolean {
  return state === 'held' || state === 'trashed' || state === 'blocked'
}
