// Writes blobs that are all there into temp/, for a thread that does nothing else: the open file is
// handed over with its name.

import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { FileStamp } from './blob-store.ts'
import { onDisk } from './disk-error.ts'
import { moveBlob } from './move-blob.ts'
import { removeQuietly, SEALED_MODE, stampAt, stampOf } from './regular-file.ts'

/** A file in temp/ with all bytes of a blob, which whoever gets it closes, and moves or removes. */
export interface StagedFile {
  /** Descriptors belong to the process: another thread may use it. */
  readonly fd: number
  readonly file: string
}

/** A file that is to get a name. */
export interface FileMove {
  readonly fd: number
  readonly from: string
  readonly to: string
}

/** The file as it is then; or nothing was done, and whoever asked sees to it. */
export type MoveOutcome =
  | { readonly stamp: FileStamp; readonly folders: readonly string[] }
  | undefined

/** What another thread does for a file that it has handed over. */
export interface FileHands {
  /** Moves it where nothing stands in the way: two threads would wait for each other's names. */
  place(move: FileMove): Promise<MoveOutcome>
  /** Hears that the file is finished. */
  onEnd(): void
}

/** Moves a file where nothing stands in the way. Never throws. */
export function placeFile({ fd, from, to }: FileMove): MoveOutcome {
  try {
    if (stampAt(to) !== undefined) return undefined
    const folders = moveBlob(from, to)
    return { stamp: stampOf(fstatSync(fd)), folders }
  } catch {
    return undefined
  }
}

export class StagedFiles {
  readonly #folder: string
  readonly #tag: string
  #count = 0

  /** `tag` is that of no other process or thread that writes into this folder. */
  constructor({ folder, tag }: { readonly folder: string; readonly tag: string }) {
    this.#folder = folder
    this.#tag = tag
  }

  /** Errors: DISK_FULL, DISK_FAULT, BUSY; nothing is left of it then. */
  write(bytes: Uint8Array): StagedFile {
    const file = join(this.#folder, `${this.#tag}-${this.#count++}.part`)
    return onDisk('writing a blob', () => {
      const fd = openSync(file, 'wx', 0o600)
      try {
        for (let at = 0; at < bytes.byteLength; ) at += writeSync(fd, bytes, at)
        fchmodSync(fd, SEALED_MODE)
        return { fd, file }
      } catch (error) {
        discard({ fd, file })
        throw error
      }
    })
  }
}

/** Gives up what nobody needs. */
export function discard({ fd, file }: StagedFile): void {
  closeSync(fd)
  removeQuietly(file)
}
