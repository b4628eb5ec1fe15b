// A blob opened for reading.

import { closeSync } from 'node:fs'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { type FileStamp, type OpenBlob, sameContentStamp } from './blob-store.ts'
import type { Pace } from './pace.ts'
import { openRegularFile, readFrom, readPieces, readThrough } from './regular-file.ts'

/**
 * A read takes the descriptor and closes it when it ends, however it ends; `close` closes one that
 * no read took. A further read opens the file again, and refuses a file that is not the same.
 */
export class OpenFile implements OpenBlob {
  readonly stamp: FileStamp
  readonly #path: string
  #fd: number | undefined

  readonly #pace: Pace

  private constructor(path: string, fd: number, stamp: FileStamp, pace: Pace) {
    this.#pace = pace
    this.#path = path
    this.#fd = fd
    this.stamp = stamp
  }

  /** Undefined if there is no regular file. */
  static at(path: string, pace: Pace): OpenFile | undefined {
    const file = openRegularFile(path)
    return file && new OpenFile(path, file.fd, file.stamp, pace)
  }

  get bytes(): number {
    return this.stamp.size
  }

  readInto(target: Uint8Array, at = 0): void {
    this.#fd ??= this.#reopen()
    const bytesRead = readFrom(this.#fd, target, at)
    if (bytesRead < target.byteLength) throw this.#cutShort(at + bytesRead)
  }

  async *read(start: number, end: number, buffer?: Uint8Array): AsyncGenerator<Uint8Array> {
    const fd = this.#fd ?? this.#reopen()
    this.#fd = undefined
    try {
      let at = start
      const pieces =
        buffer === undefined
          ? readPieces(fd, start, end)
          : readThrough(fd, { start, end }, buffer, this.#pace)
      for await (const piece of pieces) {
        at += piece.byteLength
        yield piece
      }
      if (at < end) throw this.#cutShort(at)
    } finally {
      closeSync(fd)
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #reopen(): number {
    const file = openRegularFile(this.#path)
    if (file !== undefined && sameContentStamp(file.stamp, this.stamp)) return file.fd
    if (file !== undefined) closeSync(file.fd)
    const sentence = `${this.#path} was moved or changed while it was being read. Ask again.`
    throw new NodeError('NOT_AVAILABLE', sentence, {
      ...{ path: this.#path, ...saidAs('file_moved', { file: this.#path }) }
    })
  }

  #cutShort(at: number): NodeError {
    const sentence = `${this.#path} ends after ${at} of ${this.bytes} bytes: it was changed while it was being read. Verify it.`
    return new NodeError('DISK_FAULT', sentence, {
      ...{ path: this.#path, at, ...saidAs('file_short', { file: this.#path }) }
    })
  }
}
