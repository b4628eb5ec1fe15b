// Files of the database that the disk can't read whole. The database maps its tables into memory,
// and where a page of one can't be read the system ends the process (SIGBUS): nothing can catch
// that, and each further run ends at the same page. So runs that were broken off are counted in a
// file beside it, and after two in a row all files are read before they are opened.

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'
import { systemCodeOf } from '../base/errors.ts'

/** The database leaves files alone whose names are none of its own. */
const RUNS = 'RUNS'
const RUNS_MAX = 2
const OWN = /\.(ldb|sst|log)$|^MANIFEST-|^CURRENT$/
const PIECE_BYTES = 2 ** 20
const PAGE_BYTES = 4096
/** No entry and no block can be made of it, while zeros pass for an empty one. */
const UNREADABLE = 0xff

/** Whether this run is the third that begins with none before it that has ended. */
export function beginRun(folder: string): boolean {
  const before = runsOf(folder)
  const isDoubted = before >= RUNS_MAX
  if (existsSync(folder)) note(folder, isDoubted ? 1 : before + 1)
  return isDoubted
}

/** The database was closed; `isDoubted`: the disk has failed, and the next run has to look. */
export function endRunOf(folder: string, { isDoubted = false } = {}): void {
  if (isDoubted) {
    note(folder, RUNS_MAX)
    return
  }
  try {
    rmSync(join(folder, RUNS), { force: true })
  } catch {
    // a disk that takes no change any more: it counts as broken off
  }
}

function note(folder: string, runs: number): void {
  try {
    writeFileSync(join(folder, RUNS), String(runs))
  } catch {
    // a full disk: it counts from there on
  }
}

function runsOf(folder: string): number {
  try {
    return Number.parseInt(readFileSync(join(folder, RUNS), 'utf8'), 10) || 0
  } catch {
    return 0
  }
}

/** Whether the database, or a cause of its error, says that the disk can't read. */
export function isUnreadable(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (/input\/output error|EIO/i.test(at.message)) return true
  }
  return false
}

/**
 * Puts in the place of each file that can't be read whole a copy of what can, and returns the names
 * of those. The files themselves keep their bad sectors, in `lost/`. Nobody may have the database
 * open.
 */
export function replaceUnreadable(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter((name) => OWN.test(name) && !isReadable(folder, name))
}

/** False if it was not, and its copy is now. */
function isReadable(folder: string, name: string): boolean {
  const file = join(folder, name)
  const fd = openSync(file, 'r')
  try {
    const { size } = fstatSync(fd)
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    for (let at = 0; at < size; ) {
      const bytes = readAt(fd, piece, at) // as many as are before the bad ones
      if (bytes === 0) break
      at += bytes ?? 0
      if (bytes !== undefined) continue
      copyReadable(fd, `${file}.copy`, size)
      mkdirSync(join(folder, 'lost'), { recursive: true })
      renameSync(file, join(folder, 'lost', `${name}.unreadable`))
      renameSync(`${file}.copy`, file)
      return false
    }
    return true
  } finally {
    closeSync(fd)
  }
}

/** How many bytes were read; undefined if the disk can't. */
function readAt(fd: number, target: Uint8Array, at: number): number | undefined {
  try {
    return readSync(fd, target, 0, target.byteLength, at)
  } catch (error) {
    if (systemCodeOf(error) !== 'EIO') throw error
    return undefined
  }
}

function copyReadable(fd: number, to: string, size: number): void {
  const copy = openSync(to, 'w', 0o600)
  try {
    const page = Buffer.allocUnsafe(PAGE_BYTES)
    for (let at = 0; at < size; at += PAGE_BYTES) {
      const bytes = Math.min(PAGE_BYTES, size - at)
      if (readAt(fd, page.subarray(0, bytes), at) !== bytes) page.fill(UNREADABLE)
      writeSync(copy, page, 0, bytes, at)
    }
    fsyncSync(copy)
  } finally {
    closeSync(copy)
  }
}
