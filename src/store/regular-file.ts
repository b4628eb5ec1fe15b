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
import { othersTurn } from '../base/clock.ts'
import { NodeError, systemCodeOf } from '../base/errors.ts'
import type { FileStamp } from './blob-store.ts'
import { diskError } from './disk-error.ts'
import type { Pace } from './pace.ts'

/**
 * One piece of a stream: large enough that system calls don't count, small enough to hold for many
 * readers.
 */
export const PIECE_BYTES_MAX = 256 * 1024

/** Two files are compared in pieces, each within one turn of the event loop. */
const COMPARED = Buffer.allocUnsafeSlow(64 * 1024)
const COMPARED_TO = Buffer.allocUnsafeSlow(COMPARED.byteLength)

/** The mode of the files that others may read: writing one takes intent. */
export const SEALED_MODE = 0o444

export function isSealed({ mode }: Stats): boolean {
  return (mode & 0o222) === 0
}

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
    // an error of which nobody hears costs more than the call
    return lstatSync(path, { throwIfNoEntry: false })
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
 * As `readPieces`, but each piece is a part of the buffer, for whoever is done with it when asking
 * for the next. Others get their turn in between.
 */
export async function* readThrough(
  fd: number,
  { start, end }: { readonly start: number; readonly end: number },
  buffer: Uint8Array,
  pace: Pace
): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const length = Math.min(buffer.byteLength, end - at)
    let bytesRead: number
    try {
      bytesRead = await pace.run(
        () => readSync(fd, buffer, 0, length, at),
        async () => (await readAsync(fd, buffer, 0, length, at)).bytesRead
      )
    } catch (error) {
      throw diskError(error, 'reading a file')
    }
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
    if (at < end) await othersTurn()
  }
}

/** The first `bytes` bytes, synchronously; fewer if the file ends before. */
export function readWhole(fd: number, bytes: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(bytes)
  return whole.subarray(0, readFrom(fd, whole))
}

/** Fills `target` from `start` of the file on, synchronously; how far that goes. */
export function readFrom(fd: number, target: Uint8Array, start = 0): number {
  let at = 0
  try {
    while (at < target.byteLength) {
      const bytesRead = readSync(fd, target, at, target.byteLength - at, start + at)
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
    const [one, other] = [COMPARED, COMPARED_TO]
    for (let at = 0; at < size; at += one.byteLength) {
      if (at > 0) await othersTurn()
      const length = Math.min(one.byteLength, size - at)
      const [read, readOther] = [first, second].map(({ fd }, n) =>
        readFrom(fd, (n === 0 ? one : other).subarray(0, length), at)
      )
      if (read !== length || readOther !== length) return undefined
      if (one.compare(other, 0, length, 0, length) !== 0) return undefined
    }
    return second.stamp
  } finally {
    for (const file of [first, second]) if (file !== undefined) closeSync(file.fd)
  }
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
