// Bounds a wait by time and by the one who waits.

import type { Clock } from '../base/clock.ts'

/**
 * Runs `work` with a signal that is aborted with the first of `signals`, or after `ms` with a
 * TimeoutError. Rejects as soon as that happens, whatever the work does about it.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const abort = new AbortController()
  const follow = ({ target }: { target: unknown }) => abort.abort((target as AbortSignal).reason)
  const cancel = clock.after(ms, () =>
    abort.abort(new DOMException(`no answer within ${ms / 1000} s`, 'TimeoutError'))
  )
  for (const signal of signals) {
    if (signal.aborted) abort.abort(signal.reason)
    signal.addEventListener('abort', follow)
  }
  let stopWaiting = () => {}
  try {
    abort.signal.throwIfAborted()
    const aborted = new Promise<never>((_, reject) => {
      stopWaiting = () => reject(abort.signal.reason)
      abort.signal.addEventListener('abort', stopWaiting)
    })
    return await Promise.race([work(abort.signal), aborted])
  } finally {
    cancel()
    abort.signal.removeEventListener('abort', stopWaiting)
    for (const signal of signals) signal.removeEventListener('abort', follow)
  }
}
