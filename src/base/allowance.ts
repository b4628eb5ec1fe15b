// Bytes that several tasks hold at one time, within a bound: many small ones, few large ones.

export class Allowance {
  readonly #bytesMax: number
  readonly #waiting: { readonly bytes: number; readonly begin: () => void }[] = []
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Runs the task when there is room for its bytes, in the order of asking; alone at least. */
  async run<T>(bytes: number, task: () => Promise<T>): Promise<T> {
    const taken = Math.min(bytes, this.#bytesMax)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ bytes: taken, begin: resolve })
    this.#admit()
    await promise
    try {
      return await task()
    } finally {
      this.#bytes -= taken
      this.#admit()
    }
  }

  #admit(): void {
    for (;;) {
      const next = this.#waiting[0]
      if (next === undefined || this.#bytes + next.bytes > this.#bytesMax) return
      this.#waiting.shift()
      this.#bytes += next.bytes
      next.begin()
    }
  }
}
