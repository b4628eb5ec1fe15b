// What the index needs from outside.

import type { Clock, Random } from '../base/clock.ts'
import type { FailPoints } from '../base/fail-point.ts'
import type { Database } from './tables.ts'

export interface IndexParts {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly failPoints: FailPoints
  /** Throws READ_ONLY when the data folder is not the one that was opened: its disk may be gone. */
  requireWritable(): void
  /** Puts a closed database together anew from what can be read of it. */
  readonly repair?: (what: string) => Promise<void>
  /** Hears that all is done that follows from a repair. */
  readonly onWhole?: () => void
}

export interface IndexOptions {
  /** Peer id of this node: the writer of its entries. */
  readonly writer: string
  /** Whether the folder had an index before, which is gone: what it deleted then is not known. */
  readonly pastLost?: boolean
}

export interface ListRange {
  /** Only paths that start with it. */
  readonly prefix?: string | undefined
  /** Only paths after this one. */
  readonly after?: string | undefined
}

/** Hashes between these two, which are not among them. */
export interface BlobRange {
  readonly after?: string
  readonly before?: string
}
