// What the HTTP part needs from the node.

import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { TaskBoard } from '../base/task-board.ts'
import type { IngestOptions } from '../flows/ingest.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { NodeStatus, ServerStatus } from '../flows/status.ts'
import type { StaticFile } from '../web/static-files.ts'

export interface NodeFacts {
  readonly name: string
  readonly peerId: string
  readonly cluster: string
  readonly version: string
  readonly startedAtMs: number
}

export interface MeshPort {
  addresses(): readonly string[]
  servers(): readonly ServerStatus[]
  /** Compares with all servers now, and tries to fetch all that is lacking. */
  syncNow(): Promise<void>
  /** Connects to a server of the same cluster and secret. Errors: PEER_UNREACHABLE, SAME_NODE. */
  meet(address: string, signal: AbortSignal): Promise<{ id: string; address: string }>
}

export interface HttpParts {
  readonly flows: FlowParts
  readonly tasks: TaskBoard
  readonly status: () => NodeStatus
  readonly node: NodeFacts
  readonly clock: Clock
  readonly log: Log
  readonly page: ReadonlyMap<string, StaticFile>
  /**
   * Writes metadata/file_index.json now; resolves with its absolute name and the number of entries.
   */
  readonly exportIndex: () => Promise<{ file: string; entries: number }>
  /** Other servers; undefined on a node that stands alone. */
  readonly mesh?: MeshPort | undefined
  /** Whether an existing collection is still being taken in: unknown paths may yet turn up. */
  readonly adopting: () => boolean
}

export interface ApiOptions {
  readonly ingest: IngestOptions
  readonly trashKeepMs: number
  readonly sync: { readonly enabled: boolean; readonly verifyIntegrity: boolean }
  readonly uploadsMax: number
}
