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
  const running = new Set<Promise<void>>()
  const errors: unknown[] = []
  try {
    for await (const item of items) {
      const one: Promise<void> = task(item)
        .catch((error: unknown) => {
          errors.push(error)
        })
        .finally(() => running.delete(one))
      running.add(one)
      if (running.size >= atOnce) await Promise.race(running)
      if (errors.length > 0) break
    }
  } finally {
    await Promise.all(running)
  }
  if (errors.length > 0) throw errors[0]
}
