// What is kept of an answer, and what of it.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { SpareBuffers } from '../base/spare-buffers.ts'
import type { FileStamp, OpenBlob } from '../store/blob-store.ts'
import type { WireAnswer } from './wire-answer.ts'

export interface HotImage {
  readonly path: ImagePath
  readonly etag: string
  /** A flat list of names and values, as `writeHead` takes it: of 200, and of 304. */
  readonly headers: readonly string[]
  readonly sameHeaders: readonly string[]
  readonly body: Uint8Array
}

/** Where the bytes of an image are, which are right as long as the file is this one. */
export interface KnownFile {
  readonly hash: ContentHash
  readonly stamp: FileStamp
}

/** All that 304 takes. */
export type SameImage = Pick<HotImage, 'path' | 'etag' | 'sameHeaders'>

export interface Same extends SameImage {
  /** As it goes out; made when it is first needed. */
  sameWire?: WireAnswer | undefined
}

/** Its body is a part of the answer as it goes out. */
export type Kept = HotImage &
  Same & { readonly wire: WireAnswer; readonly file: KnownFile | undefined }

export interface Known extends Same {
  /** The answer whose bytes are read each time; none are in `wire`. */
  readonly whole?: Whole | undefined
}

export interface Whole {
  readonly headers: readonly string[]
  readonly wire: WireAnswer
  readonly file: KnownFile
  readonly bytes: number
}

export interface HotFiles {
  open(hash: ContentHash): OpenBlob | undefined
  stamp(hash: ContentHash): FileStamp | undefined
  readonly buffers: SpareBuffers
}
