// Blobs of which only the beginning is here: temp/<hash>.part, to be gone on with after a broken
// stream and after a restart.

import { createHash, type Hash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, writev } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ContentHash, parseHash } from '../../protocols/hash.ts'
import { saidAs } from '../base/cause.ts'
import { invariant, NodeError } from '../base/errors.ts'
import {
  type FileStamp,
  type NamelessBlob,
  PARTIALS_MAX,
  type PartialBlob,
  sameStamp
} from './blob-store.ts'
import { diskError, onDisk } from './disk-error.ts'
import { requireMarker } from './folder.ts'
import { isAbsent, readPieces, removeQuietly, stampAt, stampOf } from './regular-file.ts'
import { DiskNamelessBlob, type StagingParts } from './staging.ts'

const DOING = 'writing a temporary file'
const OPEN_FLAGS = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK

const writevAsync = promisify(writev)

/** What is known of the bytes in a file that nobody has open. */
interface Resting {
  readonly digest: Hash
  /** Of the file with just these bytes; undefined: they are to be read again. */
  readonly stamp: FileStamp | undefined
}

export class PartialFiles {
  readonly #parts: StagingParts
  readonly #open = new Set<ContentHash>()
  /** The least recently used first; undefined for those that an earlier process has left. */
  readonly #resting = new Map<ContentHash, Resting | undefined>()

  constructor(parts: StagingParts) {
    this.#parts = parts
  }

  async open(hash: ContentHash, bytes: number, signal?: AbortSignal): Promise<PartialBlob> {
    invariant(!this.#open.has(hash), 'a partial blob has one user at a time')
    requireMarker(this.#parts.folder)
    const known = this.#resting.get(hash)
    const isKnown = this.#resting.delete(hash)
    this.#open.add(hash)
    try {
      const file = this.#fileOf(hash)
      const start = await resume(file, bytes, known, signal)
      const rest = (state: Resting | undefined) => this.#rest(hash, state)
      return new DiskPartial(this.#parts, { hash, bytes, file, rest }, start)
    } catch (error) {
      this.#open.delete(hash)
      if (isKnown) this.#resting.set(hash, known)
      throw error
    }
  }

  list(): readonly ContentHash[] {
    return [...this.#resting.keys()]
  }

  drop(hash: ContentHash): void {
    if (this.#open.has(hash)) return
    this.#resting.delete(hash)
    removeQuietly(this.#fileOf(hash))
  }

  /** Whether a file of an earlier run is a partial blob; it is one of ours then. */
  recognize(fileName: string): boolean {
    const [, hash] = /^([0-9a-f]{64})\.part$/.exec(fileName) ?? []
    if (hash !== undefined) this.#resting.set(parseHash(hash), undefined)
    return hash !== undefined
  }

  /** Keeps a bounded number of those that are resting. */
  keepNewest(): void {
    const ageOf = (hash: ContentHash) => stampAt(this.#fileOf(hash))?.mtimeMs ?? 0
    const oldestFirst = this.list()
      .map((hash) => ({ hash, atMs: ageOf(hash) }))
      .sort((a, b) => a.atMs - b.atMs)
    for (const { hash } of oldestFirst) {
      const known = this.#resting.get(hash)
      this.#resting.delete(hash)
      this.#resting.set(hash, known)
    }
    this.#trim()
  }

  #rest(hash: ContentHash, state: Resting | undefined): void {
    this.#open.delete(hash)
    if (state === undefined) return
    this.#resting.set(hash, state)
    this.#trim()
  }

  #trim(): void {
    for (const hash of this.list().slice(0, -PARTIALS_MAX)) this.drop(hash)
  }

  #fileOf(hash: ContentHash): string {
    return join(this.#parts.folder.temp, `${hash}.part`)
  }
}

interface Start {
  readonly bytesDone: number
  readonly digest: Hash
  /** Undefined if no byte is here. */
  readonly fd: number | undefined
}

/**
 * What is in the file is taken for the beginning of the blob: its hash will tell in the end. It is
 * read again unless it is as this process has left it.
 */
async function resume(
  file: string,
  bytes: number,
  known: Resting | undefined,
  signal: AbortSignal | undefined
): Promise<Start> {
  const fd = openExisting(file)
  if (fd === undefined) return { fd, bytesDone: 0, digest: createHash('sha256') }
  try {
    const stats = onDisk('looking at a temporary file', () => fstatSync(fd))
    if (!stats.isFile() || stats.size > bytes) {
      closeSync(fd)
      removeQuietly(file)
      return { fd: undefined, bytesDone: 0, digest: createHash('sha256') }
    }
    if (known?.stamp !== undefined && sameStamp(known.stamp, stampOf(stats))) {
      return { fd, bytesDone: stats.size, digest: known.digest }
    }
    const digest = createHash('sha256')
    let bytesDone = 0
    for await (const piece of readPieces(fd, 0, stats.size)) {
      signal?.throwIfAborted()
      digest.update(piece)
      bytesDone += piece.byteLength
    }
    return { fd, bytesDone, digest }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function openExisting(file: string): number | undefined {
  try {
    return openSync(file, OPEN_FLAGS)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw diskError(error, 'opening a temporary file')
  }
}

interface About {
  readonly hash: ContentHash
  readonly bytes: number
  readonly file: string
  /** Gives the file back; undefined if no byte of it is to be used again. */
  readonly rest: (state: Resting | undefined) => void
}

class DiskPartial implements PartialBlob {
  readonly #parts: StagingParts
  readonly #about: About
  #digest: Hash
  /** Bytes that the digest has: those that somebody wrote himself it does not. */
  #digested: number
  #fd: number | undefined
  #bytesDone: number
  /** The digest has other bytes than the file: a write failed half-way. */
  #isTorn = false
  #isClosed = false
  #isComplete = false
  #reads = 0

  constructor(parts: StagingParts, about: About, start: Start) {
    this.#parts = parts
    this.#about = about
    this.#digest = start.digest
    this.#digested = start.bytesDone
    this.#fd = start.fd
    this.#bytesDone = start.bytesDone
  }

  get hash(): ContentHash {
    return this.#about.hash
  }

  get bytes(): number {
    return this.#about.bytes
  }

  get bytesDone(): number {
    return this.#bytesDone
  }

  async append(pieces: readonly Uint8Array[]): Promise<void> {
    invariant(!this.#isClosed && !this.#isTorn, 'bytes are added to what is open and sound')
    const bytes = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0)
    invariant(this.#bytesDone + bytes <= this.bytes, 'a blob gets no more bytes than it has')
    this.#fd ??= this.#create()
    if (this.#digested !== this.#bytesDone) await this.#digestAgain(this.#fd)
    this.#isTorn = true
    for (const piece of pieces) this.#digest.update(piece)
    try {
      await writeAll(this.#fd, pieces, this.#bytesDone)
    } catch (error) {
      throw diskError(error, DOING)
    }
    this.#bytesDone += bytes
    this.#digested = this.#bytesDone
    this.#isTorn = false
  }

  get outside(): PartialBlob['outside'] {
    this.#fd ??= this.#create()
    return {
      file: this.#about.file,
      grown: (bytesDone) => {
        invariant(!this.#isClosed && bytesDone <= this.bytes, 'who writes bytes has it open')
        this.#bytesDone = bytesDone
      }
    }
  }

  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    if (start >= end) return
    invariant(!this.#isClosed && this.#fd !== undefined, 'what is read is open')
    this.#reads++
    try {
      let at = start
      for await (const piece of readPieces(this.#fd, start, end)) {
        at += piece.byteLength
        yield piece
      }
      if (at < end) throw cutShort(this.#about.file, at)
    } finally {
      this.#reads--
      this.#closeUnused()
    }
  }

  complete(isRight?: boolean): NamelessBlob | undefined {
    const { hash, file, bytes } = this.#about
    invariant(this.#bytesDone === bytes && !this.#isComplete, 'a blob is completed once')
    this.#isComplete = true
    this.#fd ??= this.#create() // it has no bytes at all
    this.#parts.failPoints.reach('stage:written')
    this.#about.rest(undefined)
    if (isRight ?? this.#digest.digest('hex') === hash) {
      return new DiskNamelessBlob(this.#parts, hash, { bytes, whole: undefined, data: file })
    }
    removeQuietly(file)
    return undefined
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closeUnused()
    if (this.#isComplete) return
    const { rest, file } = this.#about
    // a torn one is read again before it is gone on with
    const isDigested = !this.#isTorn && this.#digested === this.#bytesDone
    const stamp = isDigested ? lastStamp(file) : undefined
    rest(this.#bytesDone > 0 ? { digest: this.#digest, stamp } : undefined)
    if (this.#bytesDone === 0) removeQuietly(file)
  }

  async #digestAgain(fd: number): Promise<void> {
    const digest = createHash('sha256')
    for await (const piece of readPieces(fd, 0, this.#bytesDone)) digest.update(piece)
    this.#digest = digest
    this.#digested = this.#bytesDone
  }

  #create(): number {
    const fd = onDisk(DOING, () => openSync(this.#about.file, 'wx+', 0o600))
    this.#parts.failPoints.reach('stage:opened')
    return fd
  }

  #closeUnused(): void {
    if (!this.#isClosed || this.#reads > 0 || this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
  }
}

/** Undefined where the disk does not say it: then the file is read again. */
function lastStamp(file: string): FileStamp | undefined {
  try {
    return stampAt(file)
  } catch {
    return undefined
  }
}

async function writeAll(fd: number, pieces: readonly Uint8Array[], at: number): Promise<void> {
  let rest = pieces
  let position = at
  while (rest.length > 0) {
    const { bytesWritten } = await writevAsync(fd, rest, position)
    position += bytesWritten
    rest = after(rest, bytesWritten)
  }
}

/** What is left of the pieces after their first `count` bytes. */
function after(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skipped = 0
  for (const [at, piece] of pieces.entries()) {
    if (skipped + piece.byteLength > count) {
      return [piece.subarray(count - skipped), ...pieces.slice(at + 1)]
    }
    skipped += piece.byteLength
  }
  return []
}

function cutShort(file: string, at: number): NodeError {
  const sentence = `${file} ends after ${at} bytes: it was changed while it was being read.`
  return new NodeError('DISK_FAULT', sentence, { at, ...saidAs('file_short', { file }) })
}
