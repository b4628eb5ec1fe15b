// Keeps dialling the members that are not connected, for as long as the node lives. libp2p itself
// gives up after half a minute.

import { setMaxListeners } from 'node:events'
import type { Clock, Random } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { startLoop } from '../base/loop.ts'
import type { Network } from './network.ts'
import {
  type Attempts,
  compareDue,
  keyOf,
  planAttempt,
  planWait,
  type Remembered
} from './plan-redial.ts'

const TICK_MS = 500
/** Dials to machines that are gone take long, and must not keep others waiting. */
const DIALS_AT_ONCE = 32
/** Reasons of PEER_UNREACHABLE for which another try is of no use until somebody does something. */
const REFUSALS: readonly string[] = ['other-cluster', 'other-node', 'not-admitted']

export interface RedialParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly network: Pick<Network, 'id' | 'peers' | 'onPeer'>
  /** As Network.dial, for addresses of any kind. */
  readonly dial: Network['dial']
  /** Members and nodes given by hand; read anew each time, so that new addresses count at once. */
  remembered(): Iterable<Remembered>
}

export interface DialFailure {
  /** In words, with the remedy. */
  readonly message: string
  /** One word for it: `refused`, `timed-out`, `other-cluster` and others of dial-error.ts. */
  readonly reason: string
  /** Where it was dialled. */
  readonly place: string
  /** Whether one of the two does not let the other in. */
  readonly refused: boolean
  readonly atMs: number
}

export interface Redial {
  /** Why the last dial to a member failed; undefined if none did, or if it is connected. */
  failure(id: string): DialFailure | undefined
  /** When a member is dialled next; undefined if nothing is planned, as while it is connected. */
  nextMs(id: string): number | undefined
  stop(): Promise<void>
}

export function startRedial(parts: RedialParts): Redial {
  const redialler = new Redialler(parts)
  const { clock, log, network } = parts
  const loop = startLoop(
    { clock, log },
    { name: 'redial', firstMs: 0, everyMs: TICK_MS },
    async (signal) => {
      setMaxListeners(0, signal)
      redialler.dialDue(signal)
    }
  )
  const offPeer = network.onPeer(({ id }, event) => redialler.changed(id, event))
  return {
    failure: (id) => redialler.failure(id),
    nextMs: (id) => redialler.nextMs(id),
    async stop() {
      offPeer()
      await loop.stop()
      await redialler.idle()
    }
  }
}

class Redialler {
  readonly #parts: RedialParts
  readonly #attempts = new Map<string, Attempts>()
  readonly #dialling = new Map<string, Promise<void>>()
  readonly #failures = new Map<string, DialFailure>()
  /** Who answered at addresses that name nobody. */
  readonly #names = new Map<string, string>()

  constructor(parts: RedialParts) {
    this.#parts = parts
  }

  failure(id: string): DialFailure | undefined {
    return this.#failures.get(id)
  }

  nextMs(id: string): number | undefined {
    const { clock } = this.#parts
    const waitMs =
      (this.#attempts.get(id)?.nextMs ?? Number.POSITIVE_INFINITY) - clock.monotonicMs()
    return Number.isFinite(waitMs) ? clock.now() + Math.max(waitMs, 0) : undefined
  }

  changed(id: string, event: 'up' | 'down'): void {
    const { clock, random } = this.#parts
    this.#failures.delete(id)
    this.#attempts.delete(id)
    if (event === 'up') return
    // the other side has lost us as well: chance decides who dials
    const nextMs = clock.monotonicMs() + planWait(0, random.fraction())
    for (const member of this.#parts.remembered()) {
      const key = keyOf(member)
      if (key !== id && this.#names.get(key) !== id) continue
      this.#attempts.set(key, { failures: 0, nextMs, addresses: member.addresses.join(' ') })
    }
  }

  /** Starts what is due, as far as there is room. */
  dialDue(signal: AbortSignal): void {
    const { clock, network } = this.#parts
    const members = new Map<string, Remembered>()
    for (const member of this.#parts.remembered()) members.set(keyOf(member), member)
    this.#forgetOthers(members)
    const connected = new Set(network.peers().map(({ id }) => id))
    const nowMs = clock.monotonicMs()
    const due = [...members]
      .filter(([key, member]) => {
        if (this.#dialling.has(key) || connected.has(this.#names.get(key) ?? key)) return false
        return member.id !== network.id && member.addresses.length > 0
      })
      .map(([key, member]) => ({ key, member, ...planAttempt(member, this.#attempts.get(key)) }))
      .filter(({ nextMs }) => nextMs <= nowMs)
      .sort(compareDue)
    for (const { key, member } of due.slice(0, DIALS_AT_ONCE - this.#dialling.size)) {
      const dialling = this.#dial(key, member, signal)
      this.#dialling.set(key, dialling)
      dialling.finally(() => this.#dialling.delete(key))
    }
  }

  async idle(): Promise<void> {
    await Promise.all(this.#dialling.values())
  }

  /** Never rejects. */
  async #dial(key: string, member: Remembered, signal: AbortSignal): Promise<void> {
    const { clock, random, log, dial } = this.#parts
    const { failures } = planAttempt(member, this.#attempts.get(key))
    const addresses = member.addresses.join(' ')
    try {
      const { id } = await dial(member.addresses, signal)
      if (member.id === undefined) this.#names.set(key, id)
      this.#attempts.delete(key)
      this.#failures.delete(key)
    } catch (error) {
      if (signal.aborted) return
      const own = error instanceof NodeError && error.code === 'SAME_NODE'
      const waitMs = own ? Number.POSITIVE_INFINITY : planWait(failures, random.fraction())
      const nextMs = clock.monotonicMs() + waitMs
      this.#attempts.set(key, { failures: failures + 1, nextMs, addresses })
      const message = error instanceof Error ? error.message : String(error)
      const reason = error instanceof NodeError ? String(error.details.reason) : ''
      if (this.#failures.get(key)?.message !== message) log.info({ peer: key, reason }, message)
      const refused = REFUSALS.includes(reason)
      const place =
        error instanceof NodeError ? String(error.details.place ?? addresses) : addresses
      this.#failures.set(key, { message, reason, place, refused, atMs: clock.now() })
    }
  }

  #forgetOthers(members: ReadonlyMap<string, Remembered>): void {
    for (const map of [this.#attempts, this.#failures, this.#names]) {
      for (const key of map.keys()) if (!members.has(key)) map.delete(key)
    }
  }
}
