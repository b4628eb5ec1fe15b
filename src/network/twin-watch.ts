// Notices a second node with the identity of this one: a data folder was copied, and each of the
// two would take the connections of the other.

import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'

export interface TwinWatchParts {
  readonly log: Log
  readonly clock: Pick<Clock, 'monotonicMs'>
}

export interface TwinWatchOptions {
  /** When there was no sign of it for so long, it is gone. */
  readonly goneMs: number
}

/** The local network tells of it every few seconds. */
const SILENT_MS = 60_000

export class TwinWatch {
  readonly #parts: TwinWatchParts
  readonly #goneMs: number
  #place: string | undefined
  #metMs = Number.NEGATIVE_INFINITY

  constructor(parts: TwinWatchParts, { goneMs }: TwinWatchOptions = { goneMs: SILENT_MS }) {
    this.#parts = parts
    this.#goneMs = goneMs
  }

  /** In words, with the remedy; undefined if none is there. */
  get fault(): string | undefined {
    if (this.#parts.clock.monotonicMs() - this.#metMs > this.#goneMs) return undefined
    const node = this.#place === undefined ? 'Another node' : `The node at ${this.#place}`
    return (
      `${node} has the identity of this one: its data folder is a copy. Stop one of the two, ` +
      'remove metadata/identity.key from its data folder, and start it again.'
    )
  }

  /** There is a sign of it, at a place (host and port) if that is known. */
  met(place?: string): void {
    const isKnown = this.fault !== undefined
    this.#place = place ?? (isKnown ? this.#place : undefined)
    this.#metMs = this.#parts.clock.monotonicMs()
    // anybody on the local network can answer so, from as many addresses as he likes
    if (!isKnown) this.#parts.log.error(this.fault)
  }
}
