// Things in the order in which they are due, of which any may be put off again.

export interface Due<T> {
  readonly item: T
  readonly atMs: number
}

/** A heap: to put one in, or to take the first out, costs the logarithm of how many there are. */
export class DueQueue<T> {
  /** Each is due no earlier than the one at half its place. */
  readonly #heap: Due<T>[] = []

  get size(): number {
    return this.#heap.length
  }

  get first(): Due<T> | undefined {
    return this.#heap[0]
  }

  put(due: Due<T>): void {
    const heap = this.#heap
    let at = heap.length
    for (; at > 0; ) {
      const above = (at - 1) >> 1
      const other = heap[above] as Due<T>
      if (other.atMs <= due.atMs) break
      heap[at] = other
      at = above
    }
    heap[at] = due
  }

  take(): Due<T> | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      const right = heap[below + 1]
      if (right !== undefined && right.atMs < (heap[below] as Due<T>).atMs) below++
      const other = heap[below] as Due<T>
      if (other.atMs >= last.atMs) break
      heap[at] = other
      at = below
    }
    heap[at] = last
    return first
  }

  clear(): void {
    this.#heap.length = 0
  }
}
