// What the HTTP part needs from the node.

import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { LogLevels } from '../base/log-levels.ts'
import type { Task, TaskBoard } from '../base/task-board.ts'
import type { AuditLog } from '../flows/audit.ts'
import type { IngestOptions } from '../flows/ingest.ts'
import type { Seal } from '../flows/keys.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { NodeStatus, ServerStatus } from '../flows/status.ts'
import type { StaticFile } from '../web/static-files.ts'
import type { HotlinkOptions } from './hotlink.ts'
import type { MeshStatusPort } from './mesh-status-port.ts'
import type { Sessions } from './sessions.ts'

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
  /**
   * Meets a server and merges with its mesh: a multiaddr, http://host:8000 or an invite. Errors:
   * PEER_UNREACHABLE, SAME_NODE, BAD_INVITE, BAD_REQUEST.
   */
  meet(target: string, signal: AbortSignal): Promise<Met>
  /** One line that `join` takes anywhere; makes the secret of an open mesh if there is none yet. */
  invite(wish: InviteWish): Promise<Invitation>
  /** No invite of this node that ends is good any more; how many were. */
  revokeInvites(): Promise<number>
  /** A new secret in the place of the one that holds; see Rotating. Errors: BAD_REQUEST. */
  rotate(windowMs: number): Promise<SecretState>
  secretState(): SecretState
  /** Forgets a member and admits it no more. False if there is none. */
  remove(id: string): Promise<boolean>
  /** Tells the members that this server will be off until then; undefined: that it is back. */
  sayAway(untilMs: number | undefined): Promise<void>
  /** Until when it said so; it may be over. */
  awayUntilMs(): number | undefined
}

export interface SecretState {
  /** mesh: a node has made it, and can exchange it. */
  readonly origin: 'none' | 'file' | 'mesh'
  /** When it was decided on; undefined where nobody knows. */
  readonly decidedMs: number | undefined
  /** Until when the one of before still lets members in. */
  readonly formerUntilMs: number | undefined
  /** All other members, and whether they are known to have it. */
  readonly servers: readonly {
    readonly id: string
    readonly name: string
    readonly hasIt: boolean
  }[]
}

/** A server that was met, and what is lacking here after the first comparison with it. */
export interface Met {
  readonly id: string
  readonly name: string | undefined
  /** The multiaddr of the connection. */
  readonly address: string
  /** How far its clock is ahead of ours. */
  readonly clockOffsetMs: number | undefined
  readonly wantsFiles: number
  readonly wantsBytes: number
}

export interface InviteWish {
  /** Undefined: a day. */
  readonly validMs?: number | undefined
  /** How many servers may join with it; undefined: as many as come. */
  readonly uses?: number | undefined
  /** The line holds the secret of the mesh itself, and never ends. */
  readonly isPermanent?: boolean | undefined
}

export interface Invitation {
  readonly line: string
  /** Undefined: never. */
  readonly expiresMs: number | undefined
  /** Whether the secret is new. */
  readonly made: boolean
  /** Names of the servers that were given a new secret. */
  readonly handedTo: readonly string[]
  /** Names of the members that could not be. */
  readonly notReached: readonly string[]
}

/** One key of the configuration, as it holds. */
export interface SettingFact {
  /** "http.port", or "name" at the top level. */
  readonly key: string
  /** As it would be written, without secrets; undefined if it is not set. */
  readonly value: string | undefined
  /** running: it was set since the start, and holds until the end. */
  readonly from: 'default' | 'file' | 'environment' | 'command line' | 'running'
  /** Where exactly, for a person: "tumesh.yaml:12", "TUMESH_HTTP_PORT", "--http-port". */
  readonly origin: string
  /** What it means. */
  readonly text: string
  /** What holds while it is not set, in words. */
  readonly unset: string | undefined
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
  /** What can be said of them; undefined where there are none. */
  readonly meshStatus?: MeshStatusPort | undefined
  readonly audit: AuditLog
  /** Who has logged in on the page. */
  readonly sessions: Sessions
  /** With which addresses are signed, in hex: the same on all nodes of a mesh with a secret. */
  readonly signingKeys: () => readonly [string, ...string[]]
  /** Seals keys with the secret of the mesh. */
  readonly seal: Seal
  /** How much the parts of the node say. */
  readonly levels?: LogLevels | undefined
  /** The configuration in force, in the order of its keys. */
  readonly settings?: readonly SettingFact[] | undefined
  /** Whether an existing collection is still being taken in: unknown paths may yet turn up. */
  readonly adopting: () => boolean
  /**
   * Begins to take in images of folders of this server, by their absolute names; the files are
   * linked instead of copied where `link` is set and it can be. Errors: BAD_REQUEST, BUSY.
   */
  readonly adoptFolders: (order: {
    readonly folders: readonly string[]
    readonly link: boolean
  }) => Task
}

export interface ApiOptions {
  readonly ingest: IngestOptions
  readonly trashKeepMs: number
  readonly sync: { readonly enabled: boolean; readonly verifyIntegrity: boolean }
  /** Within which every stored image is read again. */
  readonly scrubMs: number
  readonly uploadsMax: number
  readonly signedUrls: boolean
  readonly hotlink: HotlinkOptions
  /** Who may read images. */
  readonly read: 'public' | 'key'
}
