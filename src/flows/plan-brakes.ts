// When what happens is too much to be meant. Pure.

/** Fewer than these are an ordinary day's work, whatever share they are. */
export const BRAKE_COUNT_MIN = 100
/** More than this share of what there is. */
export const BRAKE_SHARE = 0.1

/** So many are remembered at most, and are too many whatever share they are: more is not known. */
const RECENT_MAX = 100_000

/** Whether so many of all are too many. */
export function isTooMuch(count: number, all: number): boolean {
  return count >= BRAKE_COUNT_MIN && (count > all * BRAKE_SHARE || count >= RECENT_MAX)
}

interface Happened<T> {
  readonly atMs: number
  readonly isGone: boolean
  readonly about: T
}

/** What something happened to within the last `windowMs`: once, however often it was. */
export class Recent<T = undefined> {
  readonly #windowMs: number
  /** When it happened last, oldest first. */
  readonly #things = new Map<string, Happened<T>>()
  #gone = 0

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** `isGone`: it is not counted among all things any more. */
  add(thing: string, isGone: boolean, nowMs: number, about: T): void {
    this.#drop(thing)
    if (this.#things.size < RECENT_MAX) {
      this.#things.set(thing, { atMs: nowMs, isGone, about })
      this.#gone += Number(isGone)
    }
    for (const [oldest, { atMs }] of this.#things) {
      if (atMs > nowMs - this.#windowMs) break
      this.#drop(oldest)
    }
  }

  /** How many things, and how many of them are gone. */
  get count(): number {
    return this.#things.size
  }

  get gone(): number {
    return this.#gone
  }

  /** Those that `isMeant` takes are not counted. */
  forget(isMeant: (about: T) => boolean): void {
    for (const [thing, { about }] of this.#things) if (isMeant(about)) this.#drop(thing)
  }

  clear(): void {
    this.#things.clear()
    this.#gone = 0
  }

  #drop(thing: string): void {
    this.#gone -= Number(this.#things.get(thing)?.isGone ?? false)
    this.#things.delete(thing)
  }
}
