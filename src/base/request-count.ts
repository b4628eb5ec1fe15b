// How many requests of clients were begun: for work that makes room for them.

export class RequestCount {
  #begun = 0

  note(): void {
    this.#begun++
  }

  /** Since the start. */
  get begun(): number {
    return this.#begun
  }
}
