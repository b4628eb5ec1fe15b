// A file to which lines are only ever added. When it is full it gets a number, and the oldest of
// those goes: all together they stay below a bound.

import {
  close,
  existsSync,
  fdatasync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  write,
  writeSync
} from 'node:fs'
import { promisify } from 'node:util'
import { diskError, onDisk } from './disk-error.ts'

const writeBytes = promisify(write)
const syncData = promisify(fdatasync)
const closeFile = promisify(close)

/** Files, the one that is written included: so much of what there was goes at a time. */
const FILES = 4

export class RotatingFile {
  readonly #path: string
  readonly #fileBytesMax: number
  #fd: number | undefined
  #bytes = 0

  /** `bytesMax` of all files together. The file is for this user alone. */
  constructor(path: string, { bytesMax }: { readonly bytesMax: number }) {
    this.#path = path
    this.#fileBytesMax = Math.floor(bytesMax / FILES)
  }

  /** Durable when it resolves. For one caller at a time. Errors: DISK_FULL, DISK_FAULT. */
  async append(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    let fd = this.#open()
    if (this.#bytes > 0 && this.#bytes + bytes.byteLength > this.#fileBytesMax) {
      await this.#rotate()
      fd = this.#open()
    }
    try {
      for (let at = 0; at < bytes.byteLength; ) {
        at += (await writeBytes(fd, bytes, at)).bytesWritten
      }
      await syncData(fd)
    } catch (cause) {
      await this.close().catch(() => {}) // what was written of it is looked at by the next
      throw diskError(cause, `writing ${this.#path}`)
    }
    this.#bytes += bytes.byteLength
  }

  /** What there is, the newest file first; each is read when it is asked for. */
  *texts(): Generator<string> {
    for (let n = 0; n < FILES; n++) {
      const path = this.#nameOf(n)
      if (existsSync(path)) yield onDisk(`reading ${path}`, () => readFileSync(path, 'utf8'))
    }
  }

  async close(): Promise<void> {
    const fd = this.#fd
    this.#fd = undefined
    if (fd !== undefined) await closeFile(fd)
  }

  #open(): number {
    if (this.#fd !== undefined) return this.#fd
    return onDisk(`writing ${this.#path}`, () => {
      const fd = openSync(this.#path, 'a+', 0o600)
      this.#fd = fd
      this.#bytes = fstatSync(fd).size
      if (isCut(fd, this.#bytes)) this.#bytes += writeSync(fd, '\n')
      return fd
    })
  }

  async #rotate(): Promise<void> {
    await this.close()
    onDisk(`renaming ${this.#path}`, () => {
      rmSync(this.#nameOf(FILES - 1), { force: true })
      for (let n = FILES - 2; n >= 0; n--) {
        if (existsSync(this.#nameOf(n))) renameSync(this.#nameOf(n), this.#nameOf(n + 1))
      }
    })
  }

  #nameOf(n: number): string {
    return n === 0 ? this.#path : `${this.#path}.${n}`
  }
}

/** A crash or a full disk may have left the beginning of a line: the next is one of its own. */
function isCut(fd: number, bytes: number): boolean {
  const last = Buffer.alloc(1)
  return bytes > 0 && readSync(fd, last, 0, 1, bytes - 1) === 1 && last.toString() !== '\n'
}
