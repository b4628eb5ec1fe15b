// A dear read that many want at one time: what is read has begun after the last of them asked.

export class SharedRead<T> {
  readonly #read: () => Promise<T>
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<T> | undefined

  constructor(read: () => Promise<T>) {
    this.#read = read
  }

  /** One goes on at a time; who comes meanwhile shares the next with all others. */
  soon(): Promise<T> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      const reading = this.#read()
      this.#running = reading.catch(() => {})
      return reading
    })
    return this.#next
  }
}
