// Notices a second node with the identity of this one: a data folder was copied, and each of the
// two would take the connections of the other.

import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { hostAndPortOf } from './dial-target.ts'

/** It answers every few seconds: when it has not for so long, it is gone. */
const GONE_MS = 60_000

export class TwinWatch {
  readonly #log: Log
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #place = ''
  #metMs = Number.NEGATIVE_INFINITY

  constructor({ log, clock }: { log: Log; clock: Pick<Clock, 'monotonicMs'> }) {
    this.#log = log
    this.#clock = clock
  }

  /** In words, with the remedy; undefined if none is there. */
  get fault(): string | undefined {
    if (this.#clock.monotonicMs() - this.#metMs > GONE_MS) return undefined
    return (
      `The node at ${this.#place} has the identity of this one: its data folder is a copy. Stop ` +
      'one of the two, remove metadata/identity.key from its data folder, and start it again.'
    )
  }

  met(address: Multiaddr): void {
    const isKnown = this.fault !== undefined
    this.#place = hostAndPortOf(address)
    this.#metMs = this.#clock.monotonicMs()
    // anybody on the local network can answer so, from as many addresses as he likes
    if (!isKnown) this.#log.error(this.fault)
  }
}
