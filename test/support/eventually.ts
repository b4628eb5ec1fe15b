// Waits for something to become true, for tests of real processes that can't be told to be done.

const STEP_MS = 20

/** Repeats `attempt` until it no longer throws; rejects with its last error after `withinMs`. */
export async function eventually<T>(
  attempt: () => Promise<T> | T,
  { withinMs = 10_000 } = {}
): Promise<T> {
  const end = performance.now() + withinMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, STEP_MS))
    }
  }
}
