// Reads the file of a blob again and says what its bytes are. Nearly all are right, and then that
// is all there is to say; only of others a person is told the MD5.

import { fstatSync } from 'node:fs'
import type { ContentHash } from '../../protocols/hash.ts'
import { othersTurn } from '../base/clock.ts'
import { SpareBuffers } from '../base/spare-buffers.ts'
import { type FileStamp, type Rehash, sameStamp } from './blob-store.ts'
import { onDisk } from './disk-error.ts'
import { HashStream, Sha256Stream, sha256Of } from './hashes.ts'
import type { Pace } from './pace.ts'
import { PIECE_BYTES_MAX, readFrom, readFromLater, readThrough, stampOf } from './regular-file.ts'

/** What opening a file is worth, beside reading. */
const FILE_BYTES = 16 * 1024

interface OpenedFile {
  readonly fd: number
  readonly stamp: FileStamp
}

export class Reread {
  readonly #pace: Pace
  readonly #buffers = new SpareBuffers({
    bytesMax: PIECE_BYTES_MAX,
    keptBytesMax: 4 * PIECE_BYTES_MAX
  })
  #sinceTurnBytes = 0

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /** Throws the signal's reason; errors: DISK_FAULT. */
  async hashesOf(file: OpenedFile, expected: ContentHash, signal?: AbortSignal): Promise<Rehash> {
    await this.#giveTurn(file.stamp.size)
    signal?.throwIfAborted()
    if (file.stamp.size <= PIECE_BYTES_MAX) {
      const read = await this.#readWhole(file, expected)
      if (read !== undefined) return read
    }
    const read = await this.#stream(file, new Sha256Stream(), signal)
    return read.hash === expected ? read : await this.#stream(file, new HashStream(), signal)
  }

  /** At once, for a third of the time; undefined where the bytes are not those of `expected`. */
  async #readWhole(file: OpenedFile, expected: ContentHash): Promise<Rehash | undefined> {
    const { fd, stamp } = file
    const buffer = this.#buffers.take(stamp.size)
    try {
      const whole = buffer.subarray(0, stamp.size)
      const bytes = await this.#pace.run(
        () => readFrom(fd, whole),
        () => readFromLater(fd, whole)
      )
      if (bytes !== stamp.size || sha256Of(whole) !== expected) return undefined
      return { hash: expected, md5: undefined, bytes, stamp: unchanged(file, bytes) }
    } finally {
      this.#buffers.give(buffer)
    }
  }

  async #stream(
    file: OpenedFile,
    hashes: Sha256Stream | HashStream,
    signal?: AbortSignal
  ): Promise<Rehash> {
    let bytes = 0
    const whole = { start: 0, end: file.stamp.size }
    const buffer = this.#buffers.take(Math.min(file.stamp.size, PIECE_BYTES_MAX))
    try {
      for await (const piece of readThrough(file.fd, whole, buffer, this.#pace)) {
        signal?.throwIfAborted()
        hashes.update(piece)
        bytes += piece.byteLength
      }
    } finally {
      this.#buffers.give(buffer)
    }
    return { ...hashes.digest(), bytes, stamp: unchanged(file, bytes) }
  }

  /** After so much work: whoever reads many small ones would leave nobody a turn. */
  async #giveTurn(bytes: number): Promise<void> {
    this.#sinceTurnBytes += bytes + FILE_BYTES
    if (this.#sinceTurnBytes < PIECE_BYTES_MAX) return
    this.#sinceTurnBytes = 0
    await othersTurn()
  }
}

/** The stamp of the file, if it is that of before and so many bytes were read. */
function unchanged({ fd, stamp }: OpenedFile, bytes: number): FileStamp | undefined {
  const after = onDisk('looking at a blob', () => stampOf(fstatSync(fd)))
  return sameStamp(stamp, after) && after.size === bytes ? after : undefined
}
