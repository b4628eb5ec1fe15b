// Looking through images/, or any folder, for what others put there, and reading it without
// trusting it.

import type { Dirent, Stats } from 'node:fs'
import { closeSync, fstatSync, lstatSync } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import type { SpareBuffers } from '../base/spare-buffers.ts'
import { type FileStamp, sameStamp } from './blob-store.ts'
import { diskError, onDisk } from './disk-error.ts'
import {
  hasRealParents,
  isAbsent,
  lstatOf,
  openRegularFile,
  readPieces,
  stampAt,
  stampOf
} from './regular-file.ts'

export interface ScanOptions {
  readonly signal?: AbortSignal | undefined
  /** Names of files and folders that are left out. */
  readonly isIgnored: (name: string) => boolean
  /** Called with every folder before it is read; '' is the whole. */
  readonly onFolder?: ((name: string) => void) | undefined
  /** Called for what is there and was not seen, or is no file: nobody must take it for done. */
  readonly onLeftOut: OnLeftOut
}

export type OnLeftOut = (name: string, reason: LeftOut) => void

export interface LeftOut {
  /** As the system would say it. */
  readonly code: string
  /** In words, as a clause. */
  readonly why: string
}

const LINK: LeftOut = { code: 'ELOOP', why: 'it is a symbolic link, and none is followed' }
const SPECIAL: LeftOut = { code: 'ENOTSUP', why: 'it is neither a file nor a folder' }
const NO_UNICODE: LeftOut = { code: 'EILSEQ', why: 'its name is not UTF-8: rename it' }
const DEEP: LeftOut = { code: 'ENAMETOOLONG', why: 'it lies deeper than images can' }

function unreadableFor(error: unknown): LeftOut {
  const code = systemCodeOf(error) ?? String(error)
  return { code, why: `it can't be read (${code})` }
}

/** Of a folder: a hop to the thread pool for each of them costs more than the rest. */
const ENTRIES_AT_ONCE = 256
/** A path has at most this many parts; deeper folders hold no images. */
const DEPTH_MAX = 512
/** Stands for bytes that are no Unicode. */
const REPLACEMENT = '\ufffd'

/**
 * Whether a name of a file or folder is to be left out: one that begins with a dot, or that one of
 * the patterns fits, in which `*` stands for anything. Case does not count.
 */
export function ignoredBy(patterns: readonly string[]): (name: string) => boolean {
  const all = ['.*', ...patterns].map((one) => {
    const parts = one.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    return `(?:${parts.join('.*')})`
  })
  const pattern = new RegExp(`^(?:${all.join('|')})$`, 'isu')
  return (name) => pattern.test(name)
}

/**
 * Relative names of the regular files below a folder, `at` it or below, in no order, few folder
 * entries in memory at a time; no symbolic link is followed. Errors: DISK_FAULT.
 */
export async function* scanFiles(
  root: string,
  options: ScanOptions,
  at = ''
): AsyncGenerator<string> {
  const prefix = at === '' ? '' : `${at}/`
  yield* scanFolder(root, prefix, prefix.split('/').length, options)
}

async function* scanFolder(
  root: string,
  prefix: string,
  depth: number,
  options: ScanOptions
): AsyncGenerator<string> {
  options.onFolder?.(prefix.slice(0, -1))
  for await (const entry of entriesOf(join(root, prefix), prefix, options)) {
    options.signal?.throwIfAborted()
    if (options.isIgnored(entry.name)) continue
    const name = prefix + entry.name
    const reason = isLeftOut(root, name, entry, depth)
    if (reason !== undefined) options.onLeftOut(name, reason)
    else if (entry.isFile()) yield name
    else yield* scanFolder(root, `${name}/`, depth + 1, options)
  }
}

function isLeftOut(root: string, name: string, entry: Dirent, depth: number): LeftOut | undefined {
  if (entry.isSymbolicLink()) return LINK
  if (!entry.isFile() && !entry.isDirectory()) return SPECIAL
  if (entry.isDirectory() && depth === DEPTH_MAX) return DEEP
  return entry.name.includes(REPLACEMENT) ? unfoundFor(join(root, name)) : undefined
}

/** What is no Unicode was replaced in a name, and is not found by it. */
function unfoundFor(path: string): LeftOut | undefined {
  try {
    return lstatOf(path) === undefined ? NO_UNICODE : undefined
  } catch (error) {
    return unreadableFor(error)
  }
}

async function* entriesOf(
  path: string,
  prefix: string,
  { onLeftOut }: ScanOptions
): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(path, { bufferSize: ENTRIES_AT_ONCE })
  } catch (error) {
    if (prefix === '') throw diskError(error, `reading the folder ${path}`)
    if (!isAbsent(error)) onLeftOut(prefix.slice(0, -1), unreadableFor(error))
  }
}

/**
 * The stamp of the regular file with this name, `folder` if it is one, else undefined. What can't
 * be looked at is told.
 */
export async function lookAtName(
  root: string,
  name: string,
  onLeftOut: OnLeftOut
): Promise<FileStamp | 'folder' | undefined> {
  try {
    return seenOf(await lstat(join(root, name)))
  } catch (error) {
    return unseen(name, error, onLeftOut)
  }
}

/** The same, while all else waits. */
export function lookAtNameNow(
  root: string,
  name: string,
  onLeftOut: OnLeftOut
): FileStamp | 'folder' | undefined {
  try {
    const stats = lstatSync(join(root, name), { throwIfNoEntry: false })
    return stats && seenOf(stats)
  } catch (error) {
    return unseen(name, error, onLeftOut)
  }
}

function seenOf(stats: Stats): FileStamp | 'folder' | undefined {
  if (stats.isDirectory()) return 'folder'
  return stats.isFile() ? stampOf(stats) : undefined
}

/** Absent: removed meanwhile, or a name that is not Unicode. */
function unseen(name: string, error: unknown, onLeftOut: OnLeftOut): undefined {
  if (!isAbsent(error)) onLeftOut(name, unreadableFor(error))
}

/** Bytes in a buffer that is used again. */
export interface LentBytes {
  readonly bytes: Uint8Array
  /** Once, when nobody looks at them any more. */
  giveBack(): void
}

/** Reads the beginning of a file into a buffer; how far that went. */
export type FillBuffer = (fd: number, target: Uint8Array) => Promise<number>

export interface ForeignParts {
  readonly buffers: SpareBuffers
  readonly fill: FillBuffer
}

/** A file that somebody else wrote and may still be writing. */
export interface ForeignFile {
  /** Absolute. */
  readonly path: string
  /** As it was when it was opened. */
  readonly stamp: FileStamp
  /** All bytes that it had then; once. */
  read(): AsyncIterable<Uint8Array>
  /** The same at once, for small files; who is done with them gives the buffer back. */
  readWhole(): Promise<LentBytes>
  /** Whether it is, and its name still means, what was opened: asked after the last byte. */
  isUnchanged(): boolean
  /** May be called more than once. */
  close(): void
}

/** A file of somebody else can't be read, which says nothing of the disk as a whole. */
export class UnreadableFile extends Error {}

function unreadable(error: unknown): unknown {
  if (!(error instanceof NodeError) || error.code !== 'DISK_FAULT') return error
  const system = error.details.system
  const advice = system === 'EACCES' ? 'let the user of this node read it' : 'look at the disk'
  return new UnreadableFile(`it can't be read (${system}): ${advice}`, { cause: error })
}

/**
 * Opens a file below `root` by its relative name. Undefined if there is no regular file, or a
 * symbolic link is on the way. The caller closes it. Errors, as those of reading it:
 * UnreadableFile, BUSY.
 */
export function openForeign(
  parts: ForeignParts,
  root: string,
  name: string
): ForeignFile | undefined {
  try {
    const path = join(root, name)
    const file = hasRealParents(root, name) ? openRegularFile(path) : undefined
    return file && foreignFile(parts, path, file)
  } catch (error) {
    throw unreadable(error)
  }
}

function foreignFile(
  { buffers, fill }: ForeignParts,
  path: string,
  file: { readonly fd: number; readonly stamp: FileStamp }
): ForeignFile {
  const { fd, stamp } = file
  let open = true
  return {
    path,
    stamp,
    async *read() {
      try {
        yield* readPieces(fd, 0, stamp.size)
      } catch (error) {
        throw unreadable(error)
      }
    },
    async readWhole() {
      const buffer = buffers.take(stamp.size)
      try {
        const bytes = await fill(fd, buffer.subarray(0, stamp.size))
        return { bytes: buffer.subarray(0, bytes), giveBack: () => buffers.give(buffer) }
      } catch (error) {
        buffers.give(buffer)
        throw unreadable(error)
      }
    },
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
