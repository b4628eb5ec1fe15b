// Images to be transferred, as files and as a node wants them.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sizedJpeg } from '../../fixtures/sized-jpeg.ts'

export interface ImageSet {
  readonly count: number
  readonly bytes: number
}

const FOLDERS = 100
/** More than the kernel takes from the memory that has lain idle. */
const WARM_BYTES = 1_500_000_000
const PIECE_BYTES = 10_000_000

export class Source {
  readonly folder: string
  readonly set: ImageSet

  constructor(folder: string, set: ImageSet) {
    this.folder = folder
    this.set = set
  }

  name(n: number): string {
    return `${n % FOLDERS}/${n}.jpg`
  }

  body(n: number): Buffer {
    return sizedJpeg(this.set.bytes, `${n}`)
  }

  /** Writes the images from `first` on into a folder. */
  write(folder = this.folder, first = 0, count = this.set.count): void {
    for (let n = first; n < first + count; n++) {
      const file = join(folder, this.name(n))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, this.body(n))
    }
  }

  /** Throws unless all of them are there, byte by byte. */
  compare(folder: string, count = this.set.count): void {
    for (let n = 0; n < count; n++) {
      const came = readFileSync(join(folder, this.name(n)))
      if (!came.equals(this.body(n))) throw new Error(`${this.name(n)} differs`)
    }
  }
}

/**
 * Virtual machines give memory back that lies idle, and a write into it costs ten times as much:
 * whoever is measured first would pay for it.
 */
export function warmMemory(folder: string): void {
  const file = join(folder, 'warm')
  const piece = Buffer.alloc(PIECE_BYTES, 1)
  for (let at = 0; at < WARM_BYTES; at += PIECE_BYTES) writeFileSync(file, piece, { flag: 'a' })
  rmSync(file)
}
