// Keys for lanes: each opens one, once and soon, for the peer that it was given to.

import type { TLSSocket } from 'node:tls'
import type { LaneKey } from '../../protocols/lane/key.ts'
import { LANE_SECRET_BYTES } from '../../protocols/lane/limits.ts'
import { STATUS, StatusError } from '../../protocols/status.ts'
import { type Clock, type Random, randomHex } from '../base/clock.ts'

/** Whom a key was given to, and what for. */
export interface LaneGrant {
  readonly peerId: string
  /** The IP address of its connection: the lane comes from there, or not at all. */
  readonly ip: string
  /** Takes over the lane that was opened with the key; undefined if none was. */
  readonly onEnd: (lane: TLSSocket | undefined) => void
}

interface Given {
  readonly secret: Buffer
  readonly grant: LaneGrant
  readonly cancel: () => void
}

/** An unused key is forgotten after so long. */
export const KEY_MS = 10_000
const PER_PEER_MAX = 4
const IN_ALL_MAX = 256
const IDENTITY_BYTES = 16

export class LaneKeys {
  readonly #clock: Clock
  readonly #random: Random
  readonly #given = new Map<string, Given>()

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock
    this.#random = random
  }

  /** Throws StatusError BUSY if too many keys have not been used yet. */
  give(port: number, grant: LaneGrant): LaneKey {
    const ofPeer = [...this.#given.values()].filter((one) => one.grant.peerId === grant.peerId)
    if (ofPeer.length >= PER_PEER_MAX || this.#given.size >= IN_ALL_MAX) {
      throw new StatusError(STATUS.BUSY, 'too many lanes are about to be opened')
    }
    const identity = randomHex(this.#random, IDENTITY_BYTES)
    const secret = Buffer.from(this.#random.bytes(LANE_SECRET_BYTES))
    const cancel = this.#clock.after(KEY_MS, () => this.#drop(identity))
    this.#given.set(identity, { secret, grant, cancel })
    return { port, identity, secret }
  }

  /** The key of this identity, which is forgotten with that, whatever comes of it. */
  take(identity: string): Pick<Given, 'secret' | 'grant'> | undefined {
    const given = this.#given.get(identity)
    given?.cancel()
    this.#given.delete(identity)
    return given
  }

  /** Forgets the keys of a peer, or all. */
  revoke(peerId?: string): void {
    for (const [identity, { grant }] of this.#given) {
      if (peerId === undefined || grant.peerId === peerId) this.#drop(identity)
    }
  }

  #drop(identity: string): void {
    this.take(identity)?.grant.onEnd(undefined)
  }
}
