// What the index needs from outside.

import type { Clock, Random } from '../base/clock.ts'
import type { FailPoints } from '../base/fail-point.ts'
import type { Log } from '../base/log.ts'
import type { Database } from './tables.ts'

export interface IndexParts {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly failPoints: FailPoints
}

export interface IndexOptions {
  /** Peer id of this node: the writer of its entries. */
  readonly writer: string
}
