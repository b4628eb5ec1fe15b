// What the HTTP part asks about other servers: who has what, and what is under way.

import type { Copy } from '../../protocols/blobs/copy.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Version } from '../../protocols/version.ts'
import type { Cause } from '../base/cause.ts'
import type { Figure } from '../base/figure.ts'
import type { Standing } from '../flows/standing.ts'
import type { ServerState } from '../flows/status.ts'
import type { BucketRanges } from '../index-sync/bucket-ranges.ts'
import type { Lag } from '../index-sync/index-sync.ts'

/** What one server says of one blob, asked now. */
export interface HolderAnswer {
  readonly name: string
  /** Undefined if it is not connected, or did not answer in time. */
  readonly has: boolean | undefined
  /** What it said of itself before. */
  readonly believed: boolean
  readonly connected: boolean
  /** How it stands to the blob, by its own word of now; earlier versions don't say it. */
  readonly copy?: Copy | undefined
  /** Where it knows of no such image, and this node does. */
  readonly lag?: Lag | undefined
  readonly state?: ServerState | undefined
  /** Where it is not connected: when it last was, why not, and when it is dialled next. */
  readonly lastSeenMs?: number | undefined
  readonly lastCause?: Cause | undefined
  readonly nextDialMs?: number | undefined
}

/** Names of the servers that have a change, and of those that have not, as far as is known. */
export interface Reach {
  readonly reached: readonly string[]
  readonly pending: readonly string[]
}

export interface ChangeWatch {
  /** Waits at most `timeoutMs`, and only for connected servers; then the watch is over. */
  reach(version: Version, timeoutMs: number): Promise<Reach>
  end(): void
}

export interface BlobTransfer {
  readonly hash: ContentHash
  /** Name of the server that sends it. */
  readonly from: string
  readonly bytesDone: number
  readonly bytes: number
  /** Bytes a second. */
  readonly rate: number
}

/** Since the start of the node. */
export interface Traffic {
  /** Bytes of all streams with other servers. */
  readonly bytesReceived: number
  readonly bytesSent: number
  /** That did not have to pass, because images were packed on their way. */
  readonly bytesSavedReceiving: number
  readonly bytesSavedSending: number
  readonly blobsReceived: number
  readonly blobsSent: number
  /** Bytes of images a second, lately. */
  readonly receiveRate: number
  readonly transfers: readonly BlobTransfer[]
}

export interface MeshStatusPort {
  /** What people call a server; its peer id if nobody has said. */
  nameOf(peerId: string): string
  /**
   * A function that names the other servers that are believed to hold what an entry of a version
   * names, by their own last words; for use within one request. Several may have one name.
   */
  holders(among?: 'all' | 'connected'): (version: Version) => readonly string[]
  /** Where to look for what no connected server is believed to hold: elsewhere there is none. */
  unheld(): BucketRanges
  /** All connected servers say anew what they lack: resolves when they have, or after the time. */
  hear(timeoutMs: number, signal: AbortSignal): Promise<void>
  /**
   * Asks all connected servers whether they hold a blob, and if not, why; the answer is about all
   * members. `version`: of an entry that names it.
   */
  askHolders(
    hash: ContentHash,
    version: Version | undefined,
    timeoutMs: number,
    signal: AbortSignal
  ): Promise<readonly HolderAnswer[]>
  /**
   * Names of other servers that hold a blob durably: as soon as they are `count`, or all there are;
   * else those that do after the time.
   */
  whenHeld(
    hash: ContentHash,
    count: number,
    timeoutMs: number,
    signal: AbortSignal
  ): Promise<readonly string[]>
  /** To be called before a path is changed: tells afterwards who has the change. */
  watch(path: ImagePath): ChangeWatch
  /** How this node itself stands to a blob. */
  standing(hash: ContentHash): Promise<Standing>
  /** Wanted blobs that nobody could give in any of the quick tries. */
  failedBlobs(): number
  traffic(): Traffic
  /** What the network counts of itself, for monitors. */
  figures(): Promise<readonly Figure[]>
  /** Whether blobs come, or are soon to come from a server that is connected. */
  isFetching(): boolean
}
