// Looking through images/ for what others put there, and reading it without trusting it.

import type { Dirent } from 'node:fs'
import { closeSync, fstatSync } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCodeOf } from '../base/errors.ts'
import { type FileStamp, sameStamp } from './blob-store.ts'
import { diskError, onDisk } from './disk-error.ts'
import {
  hasRealParents,
  isAbsent,
  openRegularFile,
  readPieces,
  stampAt,
  stampOf
} from './regular-file.ts'

export interface FoundFile extends FileStamp {
  /** Relative to images/, as the disk spells it. */
  readonly name: string
}

export interface ScanOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Called for a file or folder that can't be read: it was not seen, which is not the same as not
   * there.
   */
  readonly onUnreadable: (name: string, systemCode: string) => void
}

/** A path has at most this many parts; deeper folders hold no images. */
const DEPTH_MAX = 512

/**
 * The regular files below `imagesDir`, in no order, one folder entry in memory at a time. Left out:
 * symbolic links, names that begin with a dot, and `*.part` and `*.tmp`, which somebody is still
 * writing. Errors: DISK_FAULT.
 */
export async function* scanImages(
  imagesDir: string,
  options: ScanOptions
): AsyncGenerator<FoundFile> {
  yield* scanFolder(imagesDir, '', 1, options)
}

async function* scanFolder(
  root: string,
  prefix: string,
  depth: number,
  options: ScanOptions
): AsyncGenerator<FoundFile> {
  for await (const entry of entriesOf(join(root, prefix), prefix, options)) {
    options.signal?.throwIfAborted()
    if (isSkipped(entry.name)) continue
    const name = prefix + entry.name
    if (entry.isDirectory()) {
      if (depth < DEPTH_MAX) yield* scanFolder(root, `${name}/`, depth + 1, options)
    } else if (entry.isFile()) {
      const found = await look(root, name, options)
      if (found !== undefined) yield { name, ...found }
    }
  }
}

async function* entriesOf(
  path: string,
  prefix: string,
  { onUnreadable }: ScanOptions
): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(path)
  } catch (error) {
    if (prefix === '') throw diskError(error, `reading the folder ${path}`)
    if (!isAbsent(error)) onUnreadable(prefix.slice(0, -1), systemCodeOf(error) ?? String(error))
  }
}

function isSkipped(name: string): boolean {
  return name.startsWith('.') || /\.(?:part|tmp)$/i.test(name)
}

async function look(
  root: string,
  name: string,
  { onUnreadable }: ScanOptions
): Promise<FileStamp | undefined> {
  try {
    const stats = await lstat(join(root, name))
    return stats.isFile() ? stampOf(stats) : undefined
  } catch (error) {
    // Absent: removed meanwhile, or a name that is not Unicode.
    if (!isAbsent(error)) onUnreadable(name, systemCodeOf(error) ?? String(error))
    return undefined
  }
}

/** A file that somebody else wrote and may still be writing. */
export interface ForeignFile {
  /** As it was when it was opened. */
  readonly stamp: FileStamp
  /** All bytes; once. */
  read(): AsyncIterable<Uint8Array>
  /** Whether it is, and its name still means, what was opened: asked after the last byte. */
  isUnchanged(): boolean
  /** May be called more than once. */
  close(): void
}

/**
 * Opens a file below `imagesDir` by its relative name. Undefined if there is no regular file, or a
 * symbolic link is on the way. The caller closes it. Errors: DISK_FAULT, BUSY.
 */
export function openForeign(imagesDir: string, name: string): ForeignFile | undefined {
  if (!hasRealParents(imagesDir, name)) return undefined
  const path = join(imagesDir, name)
  const file = openRegularFile(path)
  if (file === undefined) return undefined
  const { fd, stamp } = file
  let open = true
  return {
    stamp,
    read: () => readPieces(fd, 0),
    isUnchanged() {
      const named = stampAt(path)
      const opened = onDisk('looking at a file', () => stampOf(fstatSync(fd)))
      return named !== undefined && sameStamp(stamp, named) && sameStamp(stamp, opened)
    },
    close() {
      if (open) closeSync(fd)
      open = false
    }
  }
}

/** How many files a flat folder holds. Errors: DISK_FAULT. */
export async function countFiles(folder: string): Promise<number> {
  let count = 0
  try {
    for await (const entry of await opendir(folder)) if (entry.isFile()) count++
  } catch (error) {
    throw diskError(error, `reading the folder ${folder}`)
  }
  return count
}
