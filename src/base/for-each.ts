// Runs a task over a stream of items, several at a time.

/**
 * Takes the next item only when fewer than `atOnce` tasks run. Rejects with the first error, of the
 * items or of a task, after the running tasks have ended.
 */
export async function forEachAtOnce<T>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  task: (item: T) => Promise<void>
): Promise<void> {
  const errors: unknown[] = []
  let running = 0
  let ended = Promise.withResolvers<void>()
  const run = async (item: T) => {
    try {
      await task(item)
    } catch (error) {
      errors.push(error)
    }
    running--
    ended.resolve()
  }
  // not a race of all that run: it would be entered once more at each of them for every item
  const fewerThan = async (count: number) => {
    while (running >= count) {
      await ended.promise
      ended = Promise.withResolvers()
    }
  }
  try {
    for await (const item of items) {
      running++
      void run(item)
      await fewerThan(atOnce)
      if (errors.length > 0) break
    }
  } finally {
    await fewerThan(1)
  }
  if (errors.length > 0) throw errors[0]
}
