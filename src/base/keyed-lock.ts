// One task at a time per key; tasks of different keys run side by side.

export class KeyedLock<Key> {
  readonly #tails = new Map<Key, Promise<unknown>>()

  /**
   * Runs `task` when all earlier tasks of this key have ended, however they ended. Not re-entrant.
   */
  run<T>(key: Key, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const result = before === undefined ? task() : before.then(task, task)
    this.#tails.set(key, result)
    const leave = () => {
      if (this.#tails.get(key) === result) this.#tails.delete(key)
    }
    result.then(leave, leave)
    return result
  }

  /** How many keys are busy. */
  get size(): number {
    return this.#tails.size
  }
}
