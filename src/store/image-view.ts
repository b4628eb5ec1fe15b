// The seam for `images/`: the folder that people, web servers and backup tools read. It is a view
// on the blobs and can be made again from index and blobs at any time.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { FileStamp } from './blob-store.ts'

/** A file that the view made. */
export interface ShownFile {
  /** Relative to images/. Differs from the path where the disk can't hold the path itself. */
  readonly name: string
  readonly ino: number
  /** Of a file with bytes of its own. */
  readonly mtimeMs?: number | undefined
}

/** One that it made, or that its writer left there. */
export interface ViewFile extends ShownFile {
  /** Of a writer's: with this stamp its bytes are those of the blob. */
  readonly writer?: FileStamp | undefined
  /** Of the blob that it shows. */
  readonly hash?: string | undefined
}

export interface ImageView {
  /** False when the view is switched off: it shows nothing, and what is there is left to others. */
  readonly isOn: boolean
  /**
   * Makes the file of `path` show the blob, atomically in place of `previous` if that is still
   * there. A file at the name that is not `previous` was put there by somebody else: it is set
   * aside into quarantine/, never overwritten. The caller holds the locks of path and hash.
   * Undefined when the view is switched off or the blob is not there.
   */
  show(
    path: ImagePath,
    hash: ContentHash,
    previous: ViewFile | undefined
  ): Promise<ShownFile | undefined>
  /** Whether there is anything at this name. Errors: DISK_FAULT. */
  has(name: string): boolean
  /** Whether others may write the file at this name: none that the view made is like that. */
  isWritable(name: string): boolean
  /**
   * Moves the file of somebody else into quarantine/; false if it is no longer as it was. Errors:
   * DISK_FAULT.
   */
  moveAside(name: string, stamp: FileStamp): Promise<boolean>
  /**
   * Removes the file if it is still the one the view made, or a copy of that, as a folder out of a
   * backup has; and folders that become empty.
   */
  hide(file: ViewFile): Promise<void>
  /**
   * After a crash: sets aside what an earlier run may have shown under this name and could not
   * note. A file that others may write, or that is not there, is left alone.
   */
  sweep(name: string): Promise<void>
  /** Resolves when everything shown or hidden before under these names is durable. */
  durable(names: readonly string[]): Promise<void>
}
