// Reading anew what may have changed, by several who ask at once.

/**
 * Runs `work` once at a time. Who asks while it runs gets a run that begins afterwards, shared by
 * all who ask until then: what is read last is newest, and many who ask cost two runs.
 */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  return () => {
    if (next === undefined) {
      next = running
        .catch(() => {}) // who asked for that one hears of it
        .then(() => {
          next = undefined
          return work()
        })
      running = next
    }
    return next
  }
}
