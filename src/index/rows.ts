// What the rows of the index hold, and how entries count. Entries themselves are the author's bytes
// (protocols/entry.ts).

import type { Entry } from '../../protocols/entry.ts'
import { isImage, KIND_IMAGE } from '../../protocols/entry.ts'
import type { Md5 } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Version } from '../../protocols/version.ts'

/** A record that is not deleted. */
export interface RecordRow {
  readonly name: string
  readonly value: Uint8Array
  readonly writer: string
  readonly version: Version
}

/** A blob's file as it was when its bytes were last verified. */
export interface BlobStamp {
  readonly ino: number
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

/**
 * held: durably in blobs/. trashed: durably in trash/. wanted: never here. damaged, missing: was
 * here, is no longer. blocked: nobody may have it; its bytes, if they are here, are in trash/.
 * Only `held` may be claimed towards a client or a peer.
 */
export type BlobState = 'held' | 'trashed' | 'wanted' | 'damaged' | 'missing' | 'blocked'

export interface BlobRow {
  readonly bytes: number
  readonly md5: Md5
  readonly mediaType: string
  readonly state: BlobState
  /** Present where the state is held or trashed, and where blocked bytes are here. */
  readonly stamp?: BlobStamp | undefined
  readonly verifiedAtMs?: number | undefined
  /** Live image entries that name this blob. */
  readonly live: number
  /** Past versions (superseded, deleted) that name it. */
  readonly past: number
  /** Why it is damaged or missing, for a person. */
  readonly reason?: string | undefined
  /** Version of its want, as a key has it, while it has one. */
  readonly want?: string | undefined
  /**
   * A live path that names this blob: the only one, most of the time. Others are rows of the table
   * `hash`; a path is never in both places.
   */
  readonly path?: string | undefined
}

/** The live paths of a blob where its row says all of them; undefined where it does not. */
export function pathsInRow(row: BlobRow | undefined): ImagePath[] | undefined {
  if (row?.live === 0) return []
  return row?.live === 1 && row.path !== undefined ? [row.path as ImagePath] : undefined
}

/** The view file of a path, as the view last made it. */
export interface ViewRow {
  readonly name: string
  readonly ino: number
  readonly hash: string
  /** Of a file with bytes of its own; rows of earlier versions lack it. */
  readonly mtimeMs?: number | undefined
  /**
   * It is the file of somebody else who may still have it open: as it was when it was taken in, and
   * when that was. The view takes its place later.
   */
  readonly writer?: (BlobStamp & { readonly takenMs: number }) | undefined
}

/** A step that must still follow on disk. Newer generations of the same step replace older ones. */
export interface IntentRow {
  readonly generation: number
}

/** A version that is current no longer: kept for restore until it expires. */
export interface PastVersion {
  readonly entry: Entry
  /** Local time at which it ceased to be current here: ages run from it. */
  readonly sinceMs: number
}

/** An image that left the index because another node may have deleted and forgotten it. */
export interface ReviewRow {
  /** Key of the past version that it is now. */
  readonly past: string
  /** Peer id of the node that did not take it in. */
  readonly from: string
  readonly atMs: number
}

/** One of them, for a person. */
export interface ReviewedImage {
  readonly entry: Entry
  readonly from: string
  readonly atMs: number
}

export interface Counts {
  /** Live images in the index, and the sum of their sizes. */
  readonly images: number
  readonly imageBytes: number
  /** Those of them whose blob is held here. */
  readonly heldImages: number
  readonly heldImageBytes: number
  /** Distinct blobs held here. */
  readonly blobs: number
  readonly blobBytes: number
  /** Blobs that live images name and that are not here. */
  readonly wants: number
  readonly wantBytes: number
  /** Live images without their blob because it was found damaged, or missing. */
  readonly damagedImages: number
  readonly missingImages: number
  /** Live images whose blob is blocked. */
  readonly blockedImages: number
  readonly tombstones: number
  /** Images that wait for a person to restore or discard them. */
  readonly reviewImages: number
  readonly trashBlobs: number
  readonly trashBytes: number
}

export const NO_COUNTS: Counts = {
  images: 0,
  imageBytes: 0,
  heldImages: 0,
  heldImageBytes: 0,
  blobs: 0,
  blobBytes: 0,
  wants: 0,
  wantBytes: 0,
  damagedImages: 0,
  missingImages: 0,
  blockedImages: 0,
  tombstones: 0,
  reviewImages: 0,
  trashBlobs: 0,
  trashBytes: 0
}

/** `counts` with `share` taken in (`times` 1) or out (-1). */
export function addCounts(counts: Counts, share: Partial<Counts>, times: 1 | -1): Counts {
  const result = { ...counts }
  addShare(result, share, times)
  return result
}

export type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** The same, in place: a change has very many shares. */
export function addShare(counts: Writable<Counts>, share: Partial<Counts>, times: 1 | -1): void {
  for (const name in share) {
    const key = name as keyof Counts
    counts[key] = (counts[key] ?? 0) + times * (share[key] ?? 0)
  }
}

/** What one entry adds to the counts. */
export function countsOfEntry(entry: Entry | undefined): Partial<Counts> {
  if (entry === undefined || entry.kind !== KIND_IMAGE) return {}
  return entry.deleted ? { tombstones: 1 } : { images: 1, imageBytes: entry.bytes }
}

/** What one blob row adds to the counts. */
export function countsOfBlob(row: BlobRow | undefined): Partial<Counts> {
  if (row === undefined) return {}
  const { bytes, live, state } = row
  const lost = { ...(live > 0 && { wants: 1, wantBytes: bytes }) }
  switch (state) {
    case 'held':
      return { blobs: 1, blobBytes: bytes, heldImages: live, heldImageBytes: live * bytes }
    case 'trashed':
      return { trashBlobs: 1, trashBytes: bytes }
    case 'wanted':
      return lost
    case 'damaged':
      return { ...lost, damagedImages: live }
    case 'missing':
      return { ...lost, missingImages: live }
    case 'blocked':
      return { blockedImages: live }
    default:
      return state satisfies never
  }
}

/** Whether a live image lacks its bytes here. */
export function isWanted(row: BlobRow): boolean {
  return row.live > 0 && !['held', 'trashed', 'blocked'].includes(row.state)
}

/** Whether an entry deletes an image that was live, or gives its path other bytes. */
export function takesAway(entry: Entry, current: Entry | undefined): boolean {
  return isImage(current) && entry.hash !== current.hash
}
