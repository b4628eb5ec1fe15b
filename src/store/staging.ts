// Takes a stream of unknown length to its end: small ones stay in memory, large ones go to a
// temporary file, and both are hashed on the way.

import { closeSync, openSync, write } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ContentHash, type Md5, parseHash } from '../../protocols/hash.ts'
import { type Random, randomHex } from '../base/clock.ts'
import { invariant } from '../base/errors.ts'
import type { FailPoints } from '../base/fail-point.ts'
import {
  type NamelessBlob,
  SMALL_BLOB_BYTES_MAX,
  STAGED_HEAD_BYTES,
  type StagedBlob,
  type StageOptions
} from './blob-store.ts'
import { boundedSource } from './bounded-source.ts'
import { diskError, onDisk } from './disk-error.ts'
import { fileBytes } from './file-bytes.ts'
import { type Folder, requireMarker } from './folder.ts'
import { type Hashes, HashStream, md5Of, sha256Of } from './hashes.ts'
import { removeQuietly } from './regular-file.ts'
import type { FileHands } from './staged-files.ts'

export interface StagingParts {
  readonly folder: Folder
  readonly random: Random
  readonly failPoints: FailPoints
}

/** A write of this size is worth a hop to the thread pool. */
const SLAB_BYTES = SMALL_BLOB_BYTES_MAX
const FIRST_SLAB_BYTES = 16 * 1024

const DOING = 'writing a temporary file'

const writeAsync = promisify(write)

/** Bytes on their way into this store, with the names they have and get in temp/. */
export class DiskNamelessBlob implements NamelessBlob {
  readonly hash: ContentHash
  readonly bytes: number
  /** Those of a small blob. */
  whole: Uint8Array | undefined
  /** The file with the bytes: there already if they are many, else made by publish. */
  readonly data: string
  readonly #makeNote: () => string
  #note: string | undefined
  /** What of it is in temp/ and must go. */
  readonly left = { data: false, note: false }
  /** Of the file with the bytes, where it is open already. */
  fd: number | undefined
  /** The thread that has written it. */
  hands: FileHands | undefined

  constructor(
    { folder, random }: Pick<StagingParts, 'folder' | 'random'>,
    hash: ContentHash,
    content: Pick<DiskNamelessBlob, 'bytes' | 'whole' | 'data'>
  ) {
    this.hash = hash
    this.bytes = content.bytes
    this.whole = content.whole
    this.data = content.data
    this.left.data = content.whole === undefined
    this.#makeNote = () => join(folder.temp, `${hash}.${randomHex(random, 8)}`)
  }

  /** The empty file that says after a crash that this blob was being published. */
  get note(): string {
    this.#note ??= this.#makeNote()
    return this.#note
  }
}

/** Its bytes, from the first to the last. Errors: DISK_FAULT. */
export function readStaged(staged: NamelessBlob): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  invariant(staged instanceof DiskNamelessBlob, 'a store reads what it staged')
  return staged.whole === undefined ? fileBytes(staged.data) : [staged.whole]
}

export class DiskStagedBlob extends DiskNamelessBlob implements StagedBlob {
  #md5: Md5 | undefined
  readonly head: Uint8Array
  readonly file: string | undefined

  constructor(
    parts: StagingParts,
    { hash, md5 }: Pick<Hashes, 'hash'> & Partial<Hashes>,
    content: Pick<DiskStagedBlob, 'bytes' | 'whole' | 'data' | 'head'>
  ) {
    super(parts, hash, content)
    this.#md5 = md5
    this.head = content.head
    this.file = this.whole === undefined ? this.data : undefined
  }

  /** Costs more than SHA-256, and a replica has it from its entry: not before it is asked for. */
  get md5(): Md5 {
    this.#md5 ??= md5Of(this.whole as Uint8Array)
    return this.#md5
  }
}

export function newDataFile({ folder, random }: StagingParts): string {
  return join(folder.temp, `${randomHex(random, 8)}.part`)
}

/** The hash in the name of a note; undefined for any other file in temp/. */
export function hashOfNote(fileName: string): ContentHash | undefined {
  const [, hash] = /^([0-9a-f]{64})\.[0-9a-f]{16}$/.exec(fileName) ?? []
  return hash === undefined ? undefined : parseHash(hash)
}

export async function stageOnDisk(
  parts: StagingParts,
  source: AsyncIterable<Uint8Array>,
  options: StageOptions
): Promise<DiskStagedBlob> {
  const small = new Slab(options.bytesExpected)
  let large: LargeBlob | undefined
  try {
    for await (const piece of boundedSource(source, options)) {
      if (large === undefined && small.bytes + piece.byteLength <= SMALL_BLOB_BYTES_MAX) {
        small.add(piece)
        continue
      }
      if (large === undefined) {
        large = new LargeBlob(parts)
        await large.add(small.content)
      }
      await large.add(piece)
    }
    if (large !== undefined) {
      return await large.end(Buffer.from(small.content.subarray(0, STAGED_HEAD_BYTES)))
    }
  } catch (error) {
    large?.discard()
    throw error
  }
  return stageInMemory(parts, small.content)
}

export function stageInMemory(parts: StagingParts, whole: Uint8Array): DiskStagedBlob {
  const head = whole.subarray(0, STAGED_HEAD_BYTES)
  const content = { bytes: whole.byteLength, head, whole, data: newDataFile(parts) }
  return new DiskStagedBlob(parts, { hash: sha256Of(whole) }, content)
}

/**
 * One buffer that grows by doubling: a stream of single bytes needs no more memory than one large
 * piece.
 */
class Slab {
  readonly #firstBytes: number
  #buffer = Buffer.alloc(0)
  bytes = 0

  constructor(firstBytes = FIRST_SLAB_BYTES) {
    this.#firstBytes = firstBytes
  }

  add(piece: Uint8Array): void {
    const needed = this.bytes + piece.byteLength
    if (needed > this.#buffer.byteLength) {
      const size = Math.max(needed, this.#buffer.byteLength * 2, this.#firstBytes)
      const larger = Buffer.allocUnsafeSlow(Math.min(size, SLAB_BYTES))
      larger.set(this.content)
      this.#buffer = larger
    }
    this.#buffer.set(piece, this.bytes)
    this.bytes = needed
  }

  /** A view on the buffer, which `add` overwrites after `clear`. */
  get content(): Uint8Array {
    return this.#buffer.subarray(0, this.bytes)
  }

  clear(): void {
    this.bytes = 0
  }
}

/** More than fits in memory: a temporary file that is written and hashed slab by slab. */
class LargeBlob {
  readonly #parts: StagingParts
  readonly #file: string
  readonly #hashes = new HashStream()
  readonly #slab = new Slab()
  #fd: number | undefined
  #bytes = 0

  constructor(parts: StagingParts) {
    requireMarker(parts.folder)
    this.#parts = parts
    this.#file = newDataFile(parts)
    this.#fd = onDisk(DOING, () => openSync(this.#file, 'wx', 0o600))
    parts.failPoints.reach('stage:opened')
  }

  async add(piece: Uint8Array): Promise<void> {
    for (let rest = piece; rest.byteLength > 0; ) {
      const fits = rest.subarray(0, SLAB_BYTES - this.#slab.bytes)
      rest = rest.subarray(fits.byteLength)
      if (fits.byteLength === SLAB_BYTES) await this.#write(fits)
      else {
        this.#slab.add(fits)
        if (this.#slab.bytes === SLAB_BYTES) await this.#flush()
      }
    }
  }

  async end(head: Uint8Array): Promise<DiskStagedBlob> {
    await this.#flush()
    this.#parts.failPoints.reach('stage:written')
    this.#close()
    const content = { bytes: this.#bytes, head, whole: undefined, data: this.#file }
    return new DiskStagedBlob(this.#parts, this.#hashes.digest(), content)
  }

  discard(): void {
    this.#close()
    removeQuietly(this.#file)
  }

  async #flush(): Promise<void> {
    await this.#write(this.#slab.content)
    this.#slab.clear()
  }

  async #write(bytes: Uint8Array): Promise<void> {
    invariant(this.#fd !== undefined, 'a staged file is open until its end')
    this.#hashes.update(bytes)
    try {
      for (let at = 0; at < bytes.byteLength; ) {
        at += (await writeAsync(this.#fd, bytes, at, bytes.byteLength - at)).bytesWritten
      }
    } catch (error) {
      throw diskError(error, DOING)
    }
    this.#bytes += bytes.byteLength
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}
