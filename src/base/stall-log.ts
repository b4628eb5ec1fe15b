// Says in the log when the event loop stood still: nothing was answered meanwhile, and what ran
// then is to blame.

import type { Activity } from './activity.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** How often it looks, and how late it must be to be told. */
const LOOK_MS = 100
export const STALL_MS_MIN = 200
/** A loop that stands still all the time is told of this often. */
const TELL_MS = 1000

export interface StallLogParts {
  readonly clock: Clock
  readonly log: Log
  readonly activity: Activity
}

/** Runs until what is returned is called. */
export function startStallLog({ clock, log, activity }: StallLogParts): () => void {
  let lookedMs = clock.monotonicMs()
  let toldMs = Number.NEGATIVE_INFINITY
  let cancel = () => {}
  const look = () => {
    const nowMs = clock.monotonicMs()
    const stallMs = Math.round(nowMs - lookedMs - LOOK_MS)
    if (stallMs >= STALL_MS_MIN && nowMs - toldMs >= TELL_MS) {
      toldMs = nowMs
      const running = activity.since(lookedMs)
      // with nothing of ours running it was the machine that had no time
      log[running.length > 0 ? 'warn' : 'debug']({ stallMs, running }, 'the event loop stood still')
    }
    lookedMs = nowMs
    cancel = clock.after(LOOK_MS, look)
  }
  cancel = clock.after(LOOK_MS, look)
  return () => cancel()
}
