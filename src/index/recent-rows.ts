// Rows that were read or written a moment ago: one image that comes is looked up a dozen times
// within a second, and each time the database needs longer than for all that is decided by it.

/** Twice as many are kept at most. */
const KEYS_MAX = 1024

/** Of one table. A row that is known to be absent is kept, too. */
export class RecentRows {
  #young = new Map<string, unknown>()
  #old = new Map<string, unknown>()

  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key)
  }

  /** Undefined also for one that is not known here. */
  get(key: string): unknown {
    return this.#young.has(key) ? this.#young.get(key) : this.#old.get(key)
  }

  set(key: string, value: unknown): void {
    if (this.#young.size >= KEYS_MAX) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  forget(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}
