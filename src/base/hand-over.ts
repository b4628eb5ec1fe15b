// Things go from one who has them to one who takes them, one at a time: who puts one waits until it
// is taken, so that nothing piles up in between.

export class HandOver<T> implements AsyncIterable<T> {
  #waiting: { readonly thing: T; readonly taken: PromiseWithResolvers<void> } | undefined
  #over: { readonly failure: unknown } | undefined
  #isClosed = false
  #wake = Promise.withResolvers<void>()

  /** One after the other. False if nobody takes anything any more. */
  async put(thing: T): Promise<boolean> {
    if (this.#isClosed) return false
    const taken = Promise.withResolvers<void>()
    this.#waiting = { thing, taken }
    this.#wake.resolve()
    await taken.promise
    return !this.#isClosed
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Nothing more comes; the taker gets the failure where there is one. */
  end(failure?: unknown): void {
    this.#over ??= { failure }
    this.#wake.resolve()
  }

  /** Nobody takes anything any more. May be called more than once. */
  close(): void {
    this.#isClosed = true
    this.#waiting?.taken.resolve()
    this.#wake.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      while (!this.#isClosed) {
        const waiting = this.#waiting
        if (waiting !== undefined) {
          yield waiting.thing
          this.#waiting = undefined
          waiting.taken.resolve()
        } else if (this.#over !== undefined) {
          if (this.#over.failure !== undefined) throw this.#over.failure
          return
        } else {
          this.#wake = Promise.withResolvers()
          await this.#wake.promise
        }
      }
    } finally {
      this.close() // a taker who leaves keeps nobody waiting
    }
  }
}
