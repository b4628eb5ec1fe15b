// Opening files without being led astray - no symbolic link, no pipe that blocks - reading them in
// bounded pieces, and what else every file of ours has in common.

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  read,
  readSync,
  type Stats,
  statSync,
  unlinkSync
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import type { FileStamp } from './blob-store.ts'
import { diskError } from './disk-error.ts'

/**
 * One piece of a stream: large enough that system calls don't count, small enough to hold for many
 * readers.
 */
export const PIECE_BYTES_MAX = 256 * 1024

/** The mode of the files that others may read: writing one takes intent. */
export const SEALED_MODE = 0o444

export function isSealed({ mode }: Stats): boolean {
  return (mode & 0o222) === 0
}

/** A piece of a file that is read as a whole: hashing it takes less than a millisecond. */
const AHEAD_BYTES = 2 ** 20

// O_NONBLOCK: opening a pipe must not wait for a writer; on regular files it does nothing.
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK

const readAsync = promisify(read)

export function stampOf(stats: Stats): FileStamp {
  return { ino: stats.ino, size: stats.size, mtimeMs: stats.mtimeMs, ctimeMs: stats.ctimeMs }
}

/**
 * Undefined if there is no such file, or something that is not a regular one. The caller closes the
 * descriptor.
 */
export function openRegularFile(
  path: string,
  links: 'refused' | 'followed' = 'refused'
): { fd: number; stamp: FileStamp } | undefined {
  let fd: number
  try {
    fd = openSync(path, links === 'refused' ? READ_FLAGS | constants.O_NOFOLLOW : READ_FLAGS)
  } catch (error) {
    if (isAbsent(error) || ['ELOOP', 'ENXIO'].includes(systemCodeOf(error) ?? '')) return undefined
    throw diskError(error, 'opening a file')
  }
  let stats: Stats
  try {
    stats = fstatSync(fd)
  } catch (error) {
    closeSync(fd)
    throw diskError(error, 'looking at a file')
  }
  if (stats.isFile()) return { fd, stamp: stampOf(stats) }
  closeSync(fd)
  return undefined
}

/** What is at the name itself, links not followed; undefined if nothing is. */
export function lstatOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw diskError(error, 'looking at a file')
  }
}

/** The stamp of the regular file at this name; undefined if there is none. */
export function stampAt(path: string): FileStamp | undefined {
  const stats = lstatOf(path)
  return stats?.isFile() ? stampOf(stats) : undefined
}

/** The inode of the folder at this name; undefined if there is none. */
export function inodeOfFolder(path: string): number | undefined {
  const stats = lstatOf(path)
  return stats?.isDirectory() ? stats.ino : undefined
}

/** Whether every folder on the way from `root` to `name` is one, not a link to elsewhere. */
export function hasRealParents(root: string, name: string): boolean {
  const parts = name.split('/')
  return parts
    .slice(0, -1)
    .every((_, i) => lstatOf(join(root, ...parts.slice(0, i + 1)))?.isDirectory())
}

/**
 * Bytes `start` to `end` (exclusive), fewer if the file ends before; each piece is a buffer of its
 * own.
 */
export async function* readPieces(
  fd: number,
  start: number,
  end = Number.POSITIVE_INFINITY
): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES_MAX, end - at))
    let bytesRead: number
    try {
      bytesRead = (await readAsync(fd, piece, 0, piece.byteLength, at)).bytesRead
    } catch (error) {
      throw diskError(error, 'reading a file')
    }
    if (bytesRead === 0) return
    at += bytesRead
    yield piece.subarray(0, bytesRead)
  }
}

/** All bytes of a file that a person names; links are followed. Errors: NOT_FOUND, DISK_FAULT. */
export async function* readNamedFile(path: string): AsyncGenerator<Uint8Array> {
  const opened = openRegularFile(path, 'followed')
  if (opened === undefined) throw new NodeError('NOT_FOUND', `There is no file ${path}.`, { path })
  try {
    yield* readPieces(opened.fd, 0)
  } finally {
    closeSync(opened.fd)
  }
}

/** Whether a person who names this means a file; links are followed. */
export function isNamedFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/**
 * Bytes up to `end` (exclusive), fewer if the file ends before, for whoever is done with a piece
 * when asking for the next: two buffers serve the whole file, and the next piece is read meanwhile.
 */
export async function* readAhead(fd: number, end: number): AsyncGenerator<Uint8Array> {
  const make = () => Buffer.allocUnsafeSlow(Math.min(AHEAD_BYTES, end))
  const readAt = async (buffer: Buffer, at: number) => {
    const length = Math.min(buffer.byteLength, end - at)
    if (length === 0) return buffer.subarray(0, 0)
    const { bytesRead } = await readAsync(fd, buffer, 0, length, at)
    return buffer.subarray(0, bytesRead)
  }
  let [buffer, other] = [make(), end > AHEAD_BYTES ? make() : Buffer.alloc(0)]
  let next = readAt(buffer, 0)
  try {
    for (let at = 0; at < end; ) {
      const piece = await next
      if (piece.byteLength === 0) return
      at += piece.byteLength
      ;[buffer, other] = [other, buffer]
      if (at < end && buffer.byteLength === 0) buffer = make() // cut short by the system
      next = readAt(buffer, at)
      yield piece
    }
  } catch (error) {
    throw diskError(error, 'reading a file')
  } finally {
    await next.catch(() => {}) // the descriptor is still in use
  }
}

/** The first `bytes` bytes, synchronously; fewer if the file ends before. */
export function readWhole(fd: number, bytes: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(bytes)
  return whole.subarray(0, readFrom(fd, whole))
}

/** Fills `target` from the beginning of the file, synchronously; how far that goes. */
export function readFrom(fd: number, target: Uint8Array): number {
  let at = 0
  try {
    while (at < target.byteLength) {
      const bytesRead = readSync(fd, target, at, target.byteLength - at, at)
      if (bytesRead === 0) break
      at += bytesRead
    }
  } catch (error) {
    throw diskError(error, 'reading a file')
  }
  return at
}

/** The same while others work. */
export async function readFromLater(fd: number, target: Uint8Array): Promise<number> {
  let at = 0
  try {
    while (at < target.byteLength) {
      const { bytesRead } = await readAsync(fd, target, at, target.byteLength - at, at)
      if (bytesRead === 0) break
      at += bytesRead
    }
  } catch (error) {
    throw diskError(error, 'reading a file')
  }
  return at
}

/** The stamp of `b` if both are regular files with the same bytes. */
export async function sameBytes(a: string, b: string): Promise<FileStamp | undefined> {
  const first = openRegularFile(a)
  const second = openRegularFile(b)
  try {
    if (first === undefined || second === undefined) return undefined
    const { size } = second.stamp
    if (first.stamp.size !== size) return undefined
    for (let at = 0; at < size; ) {
      const end = Math.min(at + PIECE_BYTES_MAX, size)
      const [one, other] = [await readRange(first.fd, at, end), await readRange(second.fd, at, end)]
      if (one.byteLength === 0 || !one.equals(other)) return undefined
      at += one.byteLength
    }
    return second.stamp
  } finally {
    for (const file of [first, second]) if (file !== undefined) closeSync(file.fd)
  }
}

async function readRange(fd: number, start: number, end: number): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of readPieces(fd, start, end)) pieces.push(piece)
  return Buffer.concat(pieces)
}

export function isAbsent(error: unknown): boolean {
  const system = systemCodeOf(error)
  return system === 'ENOENT' || system === 'ENOTDIR'
}

/** For temporary files: what stays is swept at the next start. */
export function removeQuietly(file: string): void {
  try {
    unlinkSync(file)
  } catch {}
}
