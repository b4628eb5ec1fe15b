// Gives the bytes of a blob a second file: shared where the file system can, copied where it can't.

import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  linkSync,
  openSync
} from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { systemCodeOf } from '../base/errors.ts'
import type { GroupCommit } from './commit.ts'
import { diskError } from './disk-error.ts'
import { lstatOf, removeQuietly, SEALED_MODE } from './regular-file.ts'

// What file systems answer to a call they don't have, and to one link too many.
const UNSUPPORTED = 'ENOTSUP EOPNOTSUPP ENOSYS ENOTTY EINVAL EXDEV EPERM EMLINK'.split(' ')

/** False if the file system can't do it, with nothing done. */
export function whereSupported(call: () => void): boolean {
  try {
    call()
    return true
  } catch (error) {
    if (UNSUPPORTED.includes(systemCodeOf(error) ?? '')) return false
    throw error
  }
}

export interface MadeFile {
  readonly ino: number
  readonly mtimeMs?: number
}

export class FileLinker {
  readonly #commit: GroupCommit
  readonly #mode: 'auto' | 'copy'
  #canReflink: boolean

  /** auto: reflink, else hard link, else copy. */
  constructor({ commit }: { readonly commit: GroupCommit }, { mode }: { mode: 'auto' | 'copy' }) {
    this.#commit = commit
    this.#mode = mode
    this.#canReflink = mode === 'auto'
  }

  /** Whether it is known by now that files are shared by hard links here. */
  get linksHard(): boolean {
    return this.#mode === 'auto' && !this.#canReflink
  }

  /**
   * Makes `file`, read-only, and returns its inode, and its mtime if it has bytes of its own;
   * undefined if there is no blob.
   */
  async link(blob: string, file: string): Promise<MadeFile | undefined> {
    try {
      this.#canReflink &&= whereSupported(() =>
        copyFileSync(blob, file, constants.COPYFILE_FICLONE_FORCE)
      )
      if (this.#canReflink) return await this.#seal(file)
      if (this.#mode === 'auto' && whereSupported(() => linkSync(blob, file))) {
        const stats = lstatOf(file)
        return stats && { ino: stats.ino }
      }
      await copyFile(blob, file, constants.COPYFILE_EXCL)
      return await this.#seal(file)
    } catch (error) {
      removeQuietly(file)
      if (systemCodeOf(error) === 'ENOENT' && lstatOf(blob) === undefined) return undefined
      throw diskError(error, 'making a file for images/')
    }
  }

  /**
   * A file with bytes of its own has them to lose: they are made durable, where a link's are
   * already.
   */
  async #seal(file: string): Promise<MadeFile> {
    const fd = openSync(file, 'r')
    try {
      fchmodSync(fd, SEALED_MODE)
      await this.#commit.durable({ files: [fd] })
      const { ino, mtimeMs } = fstatSync(fd)
      return { ino, mtimeMs }
    } finally {
      closeSync(fd)
    }
  }
}
