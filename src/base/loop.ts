// Work that repeats for as long as the node lives.

import type { Activity } from './activity.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

export interface LoopParts {
  readonly clock: Clock
  readonly log: Log
  readonly activity?: Activity | undefined
}

export interface Loop {
  /** Runs no more, tells the work that is under way, and resolves when that has ended. */
  stop(): Promise<void>
}

/**
 * Runs `work` after `firstMs`, then `everyMs` after each end. What it throws is logged and ends
 * nothing.
 */
export function startLoop(
  { clock, log, activity }: LoopParts,
  { name, firstMs, everyMs }: { name: string; firstMs: number; everyMs: number },
  work: (signal: AbortSignal) => Promise<unknown>
): Loop {
  const abort = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let cancel = () => {}
  const run = async () => {
    const end = activity?.begin(name)
    try {
      await work(abort.signal)
    } catch (error) {
      if (!abort.signal.aborted)
        log.error({ err: error, loop: name }, 'background work failed; tried again later')
    } finally {
      end?.()
    }
    if (!abort.signal.aborted) cancel = clock.after(everyMs, start)
  }
  const start = () => {
    running = run()
  }
  cancel = clock.after(firstMs, start)
  return {
    stop() {
      cancel()
      abort.abort()
      return running
    }
  }
}
