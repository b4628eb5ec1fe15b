// Steps on the disk that could not be done, and are tried again: which, how many, and why. Whatever
// keeps one from being done may keep thousands, over and over, so few of them are logged.

import { NodeError, systemCodeOf } from '../base/errors.ts'

/** Until all of them are done. */
const LOGGED_MAX = 100

/** What keeps the last one from being done. */
export interface Obstacle {
  /** As many steps as have failed. */
  readonly count: number
  readonly subject: string
  /** Of the system. */
  readonly error: string
}

export class Unsettled<Subject extends string> {
  /** Whether each has failed; else it was only broken off, as by a crash. */
  readonly #steps = new Map<Subject, boolean>()
  readonly #log: (subject: Subject, error: unknown) => void
  #failed = 0
  #logged = 0
  #last: Pick<Obstacle, 'subject' | 'error'> | undefined

  constructor(log: (subject: Subject, error: unknown) => void) {
    this.#log = log
  }

  has(subject: Subject): boolean {
    return this.#steps.has(subject)
  }

  brokenOff(subject: Subject): void {
    if (!this.#steps.has(subject)) this.#steps.set(subject, false)
  }

  failed(subject: Subject, error: unknown): void {
    const isFault = error instanceof NodeError && error.code === 'DISK_FAULT'
    if (isFault) this.#last = { subject, error: systemCodeOf(error) ?? error.message }
    if (this.#steps.get(subject) === true) return
    this.#steps.set(subject, true)
    this.#failed++
    if (++this.#logged <= LOGGED_MAX) this.#log(subject, error)
  }

  done(subject: Subject): void {
    if (this.#steps.get(subject) === true) this.#failed--
    this.#steps.delete(subject)
    if (this.#failed > 0) return
    this.#logged = 0
    this.#last = undefined
  }

  /** Undefined while no fault of the disk keeps any. */
  get obstacle(): Obstacle | undefined {
    return this.#last && { count: this.#failed, ...this.#last }
  }
}
