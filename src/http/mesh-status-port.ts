// What the HTTP part asks about other servers: who has what, and what is under way.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Version } from '../../protocols/version.ts'

/** What one server says of one blob, asked now. */
export interface HolderAnswer {
  readonly name: string
  /** Undefined if it is not connected, or did not answer in time. */
  readonly has: boolean | undefined
  /** What it said of itself before. */
  readonly believed: boolean
  readonly connected: boolean
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
  /** Asks all connected servers whether they hold a blob; the answer is about all members. */
  askHolders(
    hash: ContentHash,
    version: Version,
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
  /** Why a blob could not be had yet, and when it is tried again; undefined if it was not tried. */
  want(hash: ContentHash): { readonly reason: string; readonly nextTryMs: number } | undefined
  /** Wanted blobs that nobody could give in any of the quick tries. */
  failedBlobs(): number
  traffic(): Traffic
  /** Whether blobs come, or are soon to come from a server that is connected. */
  isFetching(): boolean
}
