// kill -9 for a node in memory: from one step of its disk on, nothing that it was doing goes on.

/** Calls of the disk that take time: before and after each, the node may end. */
const SLOW = 'stage publish moveTo remove quarantine rehash show hide durable'.split(' ')

export class Death {
  readonly #came = Promise.withResolvers<void>()
  #left: number
  /** Awaited with each step: what a slow disk takes. */
  readonly #pause: () => Promise<void>

  /** After so many steps of what was wrapped. */
  constructor(steps = Number.POSITIVE_INFINITY, pause = async () => {}) {
    this.#left = steps
    this.#pause = pause
  }

  /** After so many steps from now. */
  comeAfter(steps: number): void {
    if (!this.hasCome) this.#left = steps
  }

  comeNow(): void {
    this.#left = -1
    this.#came.resolve()
  }

  get hasCome(): boolean {
    return this.#left < 0
  }

  /** Resolves when it comes. */
  get coming(): Promise<void> {
    return this.#came.promise
  }

  step = async (): Promise<void> => {
    this.#left -= 1
    if (this.hasCome) this.#came.resolve()
    else await this.#pause()
    if (this.hasCome) await new Promise(() => {})
  }

  wrap = <T extends object>(part: T): T =>
    new Proxy(part, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        if (!SLOW.includes(String(key))) {
          return (...given: unknown[]) => (this.hasCome ? undefined : value.apply(target, given))
        }
        return async (...given: unknown[]) => {
          await this.step()
          const result: unknown = await value.apply(target, given)
          await this.step()
          return result
        }
      }
    })
}
