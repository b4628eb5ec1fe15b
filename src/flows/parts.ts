// What the flows work with. node.ts builds it once; a simulation builds it with in-memory twins.

import type { Entry } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Activity } from '../base/activity.ts'
import type { Clock, Random } from '../base/clock.ts'
import type { FailPoints } from '../base/fail-point.ts'
import type { KeyedLock } from '../base/keyed-lock.ts'
import type { Log } from '../base/log.ts'
import type { RequestCount } from '../base/request-count.ts'
import type { Packing } from '../blob-sync/packing.ts'
import type { Traffic } from '../blob-sync/traffic.ts'
import type { InspectImage } from '../content/inspect.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { BlobStore, FileStamp, StagedBlob } from '../store/blob-store.ts'
import type { ImageView } from '../store/image-view.ts'
import type { Blocks } from './blocks.ts'
import type { Brakes } from './brakes.ts'
import type { Feed } from './feed.ts'
import type { Journal } from './journal.ts'
import type { VirusScanner } from './scan-virus.ts'
import type { Settler } from './settle.ts'
import type { Thumbnails } from './thumbnails.ts'

/** Room on the disk, asked before bytes are taken in. */
export interface Room {
  /** Throws DISK_FULL unless `bytes` more leave the reserve untouched. */
  demand(bytes: number): void
  /** The same for bytes that are about to be written: they count as gone. */
  take(bytes: number): void
  /** Since when the disk takes images, or does not. */
  status(): { readonly state: 'ok' | 'low' | 'full'; readonly sinceMs: number }
}

/**
 * Order of locks, wherever several are held: path before blob, blobs in the order of their hashes.
 * The index's own queue comes last: a plan never waits for a lock.
 */
export interface Locks {
  readonly path: KeyedLock<ImagePath>
  readonly blob: KeyedLock<ContentHash>
}

/** A blob whose bytes can be read, wherever they come from. */
export interface ReadableBlob {
  readonly bytes: number
  /** Of its file, where that is here. */
  readonly stamp?: FileStamp
  /** Fills it with the bytes from `at` on, the first without it, where they are here. */
  readInto?(target: Uint8Array, at?: number): void
  /**
   * Bytes start (inclusive) to end (exclusive), the last of them only if all are right. With a
   * buffer pieces may be parts of it, for whoever is done with one when asking for the next.
   */
  read(start: number, end: number, buffer?: Uint8Array): AsyncIterable<Uint8Array>
  /** Ends reads that wait. May be called more than once. */
  close(): void
}

/** What another server keeps of one path. */
export interface ServerHistory {
  readonly peerId: string
  readonly name: string
  /** A tombstone too. */
  readonly current: Entry | undefined
  /** Newest first. */
  readonly past: readonly Entry[]
  /** False where it may keep more than it has told. */
  readonly isAll: boolean
}

/** Other nodes, for what this one lacks. */
export interface Remote {
  /**
   * Fetches a blob now and keeps it; the name of the server that gave it, undefined if nobody who
   * is connected does.
   */
  fetch(hash: ContentHash): Promise<string | undefined>
  /**
   * A blob that comes and is kept while it is read, and the name of the server that sends it;
   * undefined if nobody who is connected does. Throws what this node's own disk has against it.
   */
  open(hash: ContentHash): Promise<{ from: string; blob: ReadableBlob } | undefined>
  /** The name of a server that has the blob, by its own word of now. No byte of it moves. */
  find(hash: ContentHash): Promise<string | undefined>
  /** Takes in what servers know of a path whose index was not the same when last compared. */
  learn(path: ImagePath): Promise<void>
  /** Whether others are known, and what they have is not yet: for a while after the start. */
  isCatchingUp(): boolean
  /**
   * What all members that are connected keep of a path, and the names of those that have not said
   * it.
   */
  history(path: ImagePath): Promise<{
    readonly servers: readonly ServerHistory[]
    readonly silent: readonly string[]
  }>
  /**
   * The bytes of a blob that nothing need name here, from one of these peers, its trash included;
   * undefined if none of them sends it. Whoever calls finishes it.
   */
  bring(
    hash: ContentHash,
    bytes: number,
    peerIds: readonly string[]
  ): Promise<StagedBlob | undefined>
}

export interface FlowParts {
  /** Undefined on a node that stands alone. */
  readonly remote?: Remote | undefined
  readonly index: ImageIndex
  readonly store: BlobStore
  readonly view: ImageView
  readonly inspect: InspectImage
  readonly room: Room
  readonly settler: Settler
  readonly journal: Journal
  readonly feed: Feed
  readonly brakes: Brakes
  /** Undefined where none are made. */
  readonly thumbnails?: Thumbnails | undefined
  readonly blocks: Blocks
  /** Undefined without a virus scanner. */
  readonly scanner?: VirusScanner | undefined
  readonly locks: Locks
  readonly traffic: Traffic
  readonly packing: Packing
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What runs, by name. */
  readonly activity?: Activity | undefined
  /** Those of clients over HTTP. */
  readonly requests?: RequestCount | undefined
  readonly failPoints: FailPoints
  /** Name of this node, as people gave it. */
  readonly name: string
}
