// The seam between the node and the disk: what a store of blobs does. One contract, two stores:
// disk and memory.
//
// The name of a blob is its hash and never comes from a user. A store moves bytes; whether a blob
// counts as *held* is said by its row in the index alone.

import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import type { NodeError } from '../base/errors.ts'

/**
 * A file as it was when its bytes were last verified. Any difference means: verify again before
 * trusting it.
 */
export interface FileStamp {
  readonly ino: number
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.ctimeMs === b.ctimeMs && sameContentStamp(a, b)
}

/** Equal but for ctime, which every link and rename of our own changes. */
export function sameContentStamp(a: FileStamp, b: FileStamp): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs
}

/** Blobs up to this size are staged in memory and read whole: one write, one read, no streaming. */
export const SMALL_BLOB_BYTES_MAX = 256 * 1024

/** As much of a staged blob as content checks may look at without reading the file. */
export const STAGED_HEAD_BYTES = 64 * 1024

/** Bytes that are here completely and have this hash, but no name yet. */
export interface NamelessBlob {
  readonly hash: ContentHash
  readonly bytes: number
}

/** Bytes that came in completely, from whoever, and were hashed on the way. */
export interface StagedBlob extends NamelessBlob {
  readonly md5: Md5
  /** The first min(bytes, STAGED_HEAD_BYTES) bytes. */
  readonly head: Uint8Array
  /** The whole blob where it is small: up to SMALL_BLOB_BYTES_MAX. */
  readonly whole: Uint8Array | undefined
  /** Absolute name of the temporary file where there is one (large blobs of a disk store). */
  readonly file: string | undefined
}

export interface StageOptions {
  /** More bytes than this are refused with BLOB_TOO_LARGE as soon as they are seen. */
  readonly bytesMax: number
  readonly signal?: AbortSignal | undefined
  /** As many are expected: one buffer of that size is enough for a small blob. */
  readonly bytesExpected?: number | undefined
}

/**
 * Bytes of a blob of known hash and size, which come from the first to the last, by turns if need
 * be. What has come outlives `close` and the process. For one user at a time.
 */
export interface PartialBlob {
  readonly hash: ContentHash
  /** Of the whole blob. */
  readonly bytes: number
  /** How many are here and can be read. */
  readonly bytesDone: number
  /** Adds the next ones; resolves when they can be read. Nobody may change the pieces later. */
  append(pieces: readonly Uint8Array[]): Promise<void>
  /**
   * The file that the bytes go into, for who writes the next ones himself and says how many are
   * there; undefined where there is none. Until he is done with it nobody else adds any.
   */
  readonly outside?: { readonly file: string; grown(bytesDone: number): void } | undefined
  /** Bytes that are here, while others are added: as an open blob gives them. */
  read(start: number, end: number): AsyncIterable<Uint8Array>
  /**
   * Once all bytes are here: undefined if they have another hash, and then they are gone. What is
   * right can be published, and goes with `finish`; it can still be read until `close`. Whoever has
   * written them himself says whether they are right.
   */
  complete(isRight?: boolean): NamelessBlob | undefined
  /** Keeps what is here for the next time. Reads under way go on to their end. */
  close(): void
}

/** Partial blobs that are kept while nobody uses them; the least recently used go first. */
export const PARTIALS_MAX = 64

export interface OpenBlob {
  readonly stamp: FileStamp
  readonly bytes: number
  /** Fills it with the bytes from `at` on, the first without it, synchronously. Does not close. */
  readInto(target: Uint8Array, at?: number): void
  /**
   * Bytes start (inclusive) to end (exclusive) in pieces of at most 256 KiB; one piece in memory at
   * a time. With a buffer pieces may be parts of it, for whoever is done with one when asking for
   * the next.
   */
  read(start: number, end: number, buffer?: Uint8Array): AsyncIterable<Uint8Array>
  /** May be called more than once. */
  close(): void
}

export interface Rehash {
  readonly hash: ContentHash
  /** Of bytes that are not those of the hash they are named by: it costs more than SHA-256. */
  readonly md5: Md5 | undefined
  readonly bytes: number
  /**
   * Taken before the first and again after the last byte; undefined if the file changed meanwhile.
   */
  readonly stamp: FileStamp | undefined
}

/** A temporary file that a process left behind when it ended between publish and finish. */
export interface Leftover {
  readonly hash: ContentHash
  readonly name: string
}

export interface PublishOptions {
  /**
   * The index names the blob, so whoever misses it looks at its file: nothing need tell the next
   * start of it.
   */
  readonly isNamed?: boolean
  /** Hears of the file when it has its name and can be read, before it is durable. */
  readonly onPlaced?: (stamp: FileStamp) => void
}

/**
 * Calls for one hash must not overlap: callers hold the lock of the hash. Errors: DISK_FULL (no
 * room for bytes or inodes), DISK_FAULT (the disk failed; `details.system` has the system's code),
 * READ_ONLY (the marker is gone).
 */
/** A file of somebody else, by its absolute path, as it was when it was opened. */
export interface ExistingFile {
  readonly path: string
  readonly stamp: FileStamp
}

export interface BlobStore {
  /** The failure of the disk after which nothing is made durable any more. */
  readonly fault: NodeError | undefined
  /** False while its folder is not the one that was opened: another disk may be there, or none. */
  readonly isPresent: boolean
  /**
   * Takes a stream to its end, hashing SHA-256 and MD5 in the same pass. Memory stays bounded
   * whatever the length. If the source throws, the signal aborts, or the limit is passed, nothing
   * is left behind and the error is thrown (the source's own error as it is; BLOB_TOO_LARGE; the
   * signal's reason).
   */
  stage(source: AsyncIterable<Uint8Array>, options: StageOptions): Promise<StagedBlob>
  /** The same of a small blob that is all there. Nobody may change the bytes before `finish`. */
  stageWhole(bytes: Uint8Array): StagedBlob
  /**
   * Takes a file in without copying its bytes; undefined where that can't be. By a link it becomes
   * read-only, and whoever changes it later changes the blob; a clone shares the bytes until
   * somebody writes, and whether the file changed meanwhile whoever opened it can tell. Errors as
   * `stage`.
   */
  stageUncopied(
    file: ExistingFile,
    options: StageOptions & { readonly by: 'link' | 'clone' }
  ): Promise<StagedBlob | undefined>
  /**
   * Goes on with what is here of a blob, or begins it. After a restart the bytes are read and
   * hashed again; more of them than `bytes` are dropped. Throws the signal's reason, disk errors.
   */
  openPartial(hash: ContentHash, bytes: number, signal?: AbortSignal): Promise<PartialBlob>
  /** Those that nobody has open, the least recently used first. */
  partials(): readonly ContentHash[]
  /** Removes what is here of a blob, unless somebody has it open. Never throws. */
  dropPartial(hash: ContentHash): void
  /**
   * Gives the staged bytes their name, read-only, replacing any file there; durable when it
   * resolves. A note stays until `finish`, so that a crash before the index batch can be seen at
   * start-up.
   */
  publish(staged: NamelessBlob, options?: PublishOptions): Promise<FileStamp>
  /** The bytes of a blob that is not published yet, from the first to the last. */
  read(staged: NamelessBlob): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** Removes the temporary name of a blob, published or not. Never throws. */
  finish(staged: NamelessBlob): void
  /** In blobs/, or in the trash if that is asked for. Undefined if there is no such file. */
  open(hash: ContentHash, place?: 'blobs' | 'trash'): OpenBlob | undefined
  stamp(hash: ContentHash): FileStamp | undefined
  /** Reads and hashes the file; undefined if there is none. */
  rehash(hash: ContentHash, signal?: AbortSignal): Promise<Rehash | undefined>
  /**
   * The file may not be on the disk yet, since this store has not published it to the end: it is
   * when this resolves. One that is gone is no error.
   */
  makeDurable(hash: ContentHash): Promise<void>
  /** Hashes that have a file, in no order; some more than once. Errors: DISK_FAULT. */
  list(): AsyncIterable<ContentHash>
  /** Where a blob's file is. */
  placeOf(hash: ContentHash): 'blobs' | 'trash' | undefined
  /** Moves the blob's file; durable. A blob that is there already, or nowhere, is no error. */
  moveTo(hash: ContentHash, place: 'blobs' | 'trash'): Promise<FileStamp | undefined>
  /** Removes the file wherever it is; durable. */
  remove(hash: ContentHash): Promise<void>
  /**
   * Moves the file out of reach of every reader, keeping its bytes; the name it got, or undefined
   * if there is none.
   */
  quarantine(hash: ContentHash): Promise<string | undefined>
  /**
   * Temporary files of published blobs from an earlier run. The newest partial blobs stay;
   * all other temporary files are removed by the same call.
   */
  leftovers(): readonly Leftover[]
  removeLeftover(leftover: Leftover): void
}
