// How peers behave: who sends what no node sends is let go and not let in for a while, longer each
// time. A connection that breaks is nobody's fault.

import { WireError } from '../../protocols/wire-error.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'

/** Violations that are forgiven: one may be a fault of this program, or of memory. */
const FORGIVEN = 4
const REST_MS = 10_000
const REST_MS_MAX = 10 * 60_000
/** After so long without any a peer begins anew. */
const FORGOTTEN_MS = 60 * 60_000
const PEERS_MAX = 1_000

interface Record {
  violations: number
  rests: number
  lastMs: number
  restsUntilMs: number
}

/** Whether an error of a stream says that the other side broke the rules. */
export function isViolation(error: unknown): boolean {
  return error instanceof WireError && error.fault !== 'TRUNCATED'
}

export interface ConductParts {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
}

export class Conduct {
  readonly #clock: ConductParts['clock']
  readonly #log: Log
  readonly #records = new Map<string, Record>()

  constructor({ clock, log }: ConductParts) {
    this.#clock = clock
    this.#log = log
  }

  /** Whether the peer is to be let go now. */
  violated(peerId: string): boolean {
    const nowMs = this.#clock.monotonicMs()
    const known = this.#records.get(peerId)
    const isFresh = known === undefined || nowMs - known.lastMs > FORGOTTEN_MS
    const record = isFresh ? { violations: 0, rests: 0, lastMs: 0, restsUntilMs: 0 } : known
    this.#records.delete(peerId)
    this.#records.set(peerId, record)
    if (this.#records.size > PEERS_MAX) this.#records.delete([...this.#records.keys()][0] as string)
    record.lastMs = nowMs
    record.violations++
    if (record.violations <= FORGIVEN) return false
    record.violations = 0
    const restMs = Math.min(REST_MS * 2 ** record.rests, REST_MS_MAX)
    record.restsUntilMs = nowMs + restMs
    record.rests++
    this.#log.warn(
      { peer: peerId, restMs },
      'a node sends what no node sends: it stays out a while'
    )
    return true
  }

  /** Whether the peer is not let in now. */
  rests(peerId: string): boolean {
    const record = this.#records.get(peerId)
    return record !== undefined && record.restsUntilMs > this.#clock.monotonicMs()
  }
}
