// Goes on with a partial blob in a thread of its own, through a descriptor of its own. The store
// has the blob open meanwhile, adds nothing to it, and waits until this one is closed.

import { createHash } from 'node:crypto'
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { onDisk } from './disk-error.ts'

const DOING = 'writing a temporary file'
const FLAGS = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK

export class PartialWriter {
  readonly #fd: number
  readonly #digest = createHash('sha256')
  readonly #buffer: Uint8Array
  #bytesDone = 0
  #filled = 0

  /** The first `bytesDone` bytes are there and are read again. `buffer` is for its use alone. */
  constructor(file: string, bytesDone: number, buffer: Uint8Array) {
    this.#buffer = buffer
    this.#fd = onDisk(DOING, () => openSync(file, FLAGS))
    try {
      onDisk(DOING, () => this.#readAgain(bytesDone))
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** How many are in the file. */
  get bytesDone(): number {
    return this.#bytesDone
  }

  /** Errors: DISK_FULL, DISK_FAULT. */
  add(piece: Uint8Array): void {
    for (let at = 0; at < piece.byteLength; ) {
      const part = piece.subarray(at, at + this.#buffer.byteLength - this.#filled)
      this.#buffer.set(part, this.#filled)
      this.#filled += part.byteLength
      at += part.byteLength
      if (this.#filled === this.#buffer.byteLength) this.flush()
    }
  }

  flush(): void {
    const bytes = this.#buffer.subarray(0, this.#filled)
    this.#digest.update(bytes)
    onDisk(DOING, () => {
      for (let at = 0; at < bytes.byteLength; ) {
        at += writeSync(this.#fd, bytes, at, bytes.byteLength - at, this.#bytesDone + at)
      }
    })
    this.#bytesDone += this.#filled
    this.#filled = 0
  }

  /** SHA-256 of all bytes in hex, once, at the end. */
  hash(): string {
    this.flush()
    return this.#digest.digest('hex')
  }

  close(): void {
    closeSync(this.#fd)
  }

  #readAgain(bytesDone: number): void {
    while (this.#bytesDone < bytesDone) {
      const length = Math.min(this.#buffer.byteLength, bytesDone - this.#bytesDone)
      const count = readSync(this.#fd, this.#buffer, 0, length, this.#bytesDone)
      if (count === 0) throw new Error(`it has ${this.#bytesDone} bytes, not ${bytesDone}`)
      this.#digest.update(this.#buffer.subarray(0, count))
      this.#bytesDone += count
    }
  }
}
