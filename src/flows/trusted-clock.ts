// The clock of the machine, as far as ages can be told by it; a restart does not forget what is
// known of it.

import { type ClockNote, SteadyClock } from '../base/steady-clock.ts'
import type { FlowParts } from './parts.ts'

const NAME = 'clock'
/** So old may the note be of what the clock said last. */
const NOTE_MS = 60 * 60_000

/** The result says whether ages can be trusted now; to be asked often. */
export function trustedClock({
  index,
  clock
}: Pick<FlowParts, 'index' | 'clock'>): () => Promise<boolean> {
  let noted = index.meta(NAME) as ClockNote | undefined
  const steady = new SteadyClock(clock, noted)
  return async () => {
    const isSteady = steady.isSteady()
    const note = steady.note
    const isOld = Math.abs(note.wallMs - (noted?.wallMs ?? 0)) >= NOTE_MS
    if (isOld || note.leaptMs !== noted?.leaptMs) {
      await index.change((tx) => tx.setMeta(NAME, note), { durable: false })
      noted = note
    }
    return isSteady
  }
}
