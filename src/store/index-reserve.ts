// Room that is kept for the index on a disk that fills up: a file that is cut shorter, and empty
// ones that go, bit by bit as other programs leave nothing. So deleting and purging, which make
// room, can be written down even then.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '../base/clock.ts'
import { INODES_RESERVE } from './disk-space.ts'

/** What the index may write at once, several times: its log as a table is 4 MiB. */
const BYTES_MAX = 32 * 2 ** 20
/** In so many pieces it is given away. */
const PIECES = 8
/** So many of them are to be free at any time. */
const PIECES_FREE = 2
/** Files that the index may make at once: log, tables, list of tables, folders of the trash. */
const FILES_FREE = 16
const FILES = 4 * FILES_FREE
/** A disk that has so many times its reserve free is far from full. */
const FAR_FACTOR = 8
const NAME = 'reserve'
const PIECE_OF_WRITE_BYTES = 2 ** 20

export interface IndexReserveParts {
  readonly random: Random
}

export interface IndexReserveOptions {
  /** On the disk of the index; it makes a folder there. */
  readonly folder: string
  /** What uploads leave free. */
  readonly reservedBytes: () => number
}

export class IndexReserve {
  readonly #random: Random
  readonly #options: IndexReserveOptions
  readonly #path: string
  readonly #file: string
  #bytes: number
  #files: string[]
  #isTaking = false

  constructor({ random }: IndexReserveParts, options: IndexReserveOptions) {
    this.#random = random
    this.#options = options
    this.#path = join(options.folder, NAME)
    this.#file = join(this.#path, 'bytes')
    this.#bytes = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0
    const names = existsSync(this.#path) ? readdirSync(this.#path) : []
    this.#files = names.filter((name) => name.startsWith('file-'))
  }

  /**
   * To be called before the index is written: lets go what is needed, as long as there is any.
   * Costs nothing while nothing is held. Never throws.
   */
  give(): void {
    if (this.#bytes === 0 && this.#files.length === 0) return
    try {
      const { bavail, bsize, files, ffree } = statfsSync(this.#options.folder)
      if (bavail * bsize < PIECES_FREE * this.#pieceBytes) this.#giveBytes()
      if (files > 0 && ffree < FILES_FREE) this.#giveFiles()
    } catch {
      // the write will tell
    }
  }

  /**
   * To be called now and then: holds all of it again once the disk nears its end and has room.
   * Never throws.
   */
  async take(): Promise<void> {
    if (this.#isTaking) return
    this.#isTaking = true
    try {
      const { bavail, bsize, files, ffree } = statfsSync(this.#options.folder)
      const reserved = this.#options.reservedBytes()
      const free = bavail * bsize
      const lacks = this.#wholeBytes - this.#bytes
      if (lacks > 0 && free - lacks > reserved && free < FAR_FACTOR * reserved) {
        await this.#takeBytes()
      }
      const lacksFiles = FILES - this.#files.length
      const hasRoom = ffree - lacksFiles > INODES_RESERVE
      if (files > 0 && lacksFiles > 0 && hasRoom && ffree < FAR_FACTOR * INODES_RESERVE) {
        this.#takeFiles()
      }
    } catch {
      // somebody was faster: what is held by now is held
    } finally {
      this.#isTaking = false
    }
  }

  get #wholeBytes(): number {
    return Math.min(BYTES_MAX, this.#options.reservedBytes())
  }

  get #pieceBytes(): number {
    return Math.ceil(this.#wholeBytes / PIECES)
  }

  #giveBytes(): void {
    this.#bytes = Math.max(0, this.#bytes - this.#pieceBytes)
    // never removed: what is being written to it meanwhile would be counted as held
    truncateSync(this.#file, this.#bytes)
  }

  #giveFiles(): void {
    for (const name of this.#files.splice(0, FILES_FREE)) {
      rmSync(join(this.#path, name), { force: true })
    }
  }

  /** Of bytes that no file system packs. */
  async #takeBytes(): Promise<void> {
    mkdirSync(this.#path, { recursive: true, mode: 0o700 })
    const whole = this.#wholeBytes
    const piece = this.#random.bytes(Math.min(PIECE_OF_WRITE_BYTES, whole))
    const file = await open(this.#file, 'a', 0o600)
    try {
      while (this.#bytes < whole) {
        const { bytesWritten } = await file.write(
          piece,
          0,
          Math.min(piece.length, whole - this.#bytes)
        )
        this.#bytes += bytesWritten
      }
    } finally {
      await file.close()
    }
  }

  #takeFiles(): void {
    mkdirSync(this.#path, { recursive: true, mode: 0o700 })
    for (let n = 0; n < FILES; n++) {
      const name = `file-${n}`
      if (this.#files.includes(name)) continue
      writeFileSync(join(this.#path, name), '', { mode: 0o600 })
      this.#files.push(name)
    }
  }
}
