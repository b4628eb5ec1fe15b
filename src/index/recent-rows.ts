// Rows that were read or written a moment ago: one image that comes is looked up a dozen times
// within a second, and each time the database needs longer than for all that is decided by it.

/** Twice as many are kept at most. */
const KEYS_MAX = 1024

/** Of one table. A row that is known to be absent is kept, too. */
export class RecentRows {
  #young = new Map<string, unknown>()
  #old = new Map<string, unknown>()
  /** Keys that nothing is kept of, and for how many. */
  readonly #held = new Map<string, number>()

  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key)
  }

  /** Undefined also for one that is not known here. */
  get(key: string): unknown {
    return this.#young.has(key) ? this.#young.get(key) : this.#old.get(key)
  }

  /** Nothing, where the key is held. */
  set(key: string, value: unknown): void {
    if (this.#held.has(key)) return
    if (this.#young.size >= KEYS_MAX) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  /** Forgets the row and keeps nothing of it until each hold is released. */
  hold(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1)
  }

  release(key: string): void {
    const count = this.#held.get(key) ?? 0
    if (count > 1) this.#held.set(key, count - 1)
    else this.#held.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}
