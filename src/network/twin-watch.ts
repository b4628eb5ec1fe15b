// Notices a second node with the identity of this one: a data folder was copied, and each of the
// two would take the connections of the other.

import type { Multiaddr } from '@multiformats/multiaddr'
import type { Log } from '../base/log.ts'
import { hostAndPortOf } from './dial-target.ts'

export class TwinWatch {
  readonly #log: Log
  #place: string | undefined

  constructor({ log }: { log: Log }) {
    this.#log = log
  }

  /** In words, with the remedy; undefined if none was met. */
  get fault(): string | undefined {
    if (this.#place === undefined) return undefined
    return (
      `The node at ${this.#place} has the identity of this one: its data folder is a copy. Stop ` +
      'one of the two, remove metadata/identity.key from its data folder, and start it again.'
    )
  }

  met(address: Multiaddr): void {
    const place = hostAndPortOf(address)
    if (this.#place === place) return
    this.#place = place
    this.#log.error(this.fault)
  }
}
