// The disk behind fragile-disk.ts, in a process of its own: who waits for a file on it must not be
// who answers for it.

import { execFileSync, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { type FileBehind, serveFile } from './fuse-file.ts'
import { seededRandom } from './seeded-random.ts'

const SECTOR_BYTES = 512
const PAGE_BYTES = 4096

interface Write {
  readonly offset: number
  readonly bytes: Uint8Array
}

export type Order =
  | { readonly do: 'cut'; readonly to: string; readonly seed: number }
  | { readonly do: 'spoil'; readonly begin: string; readonly bytes: number }
  | { readonly do: 'mend' }

export interface Told {
  readonly lost?: number
  readonly kept?: number
  readonly spoilt?: number
  readonly error?: string
}

/** What was written and not flushed may be lost, in any part and order; some can't be read. */
class Disk implements FileBehind {
  readonly bytes: number
  readonly #now: number
  readonly #flushed: number
  readonly #flushedFile: string
  #unflushed: Write[] = []
  #spoilt = new Set<number>()

  constructor(nowFile: string, flushedFile: string) {
    this.#now = openSync(nowFile, 'r+')
    this.#flushed = openSync(flushedFile, 'r+')
    this.#flushedFile = flushedFile
    this.bytes = fstatSync(this.#now).size
  }

  read(offset: number, length: number): Uint8Array {
    for (let page = Math.floor(offset / PAGE_BYTES); page * PAGE_BYTES < offset + length; page++) {
      if (this.#spoilt.has(page)) throw new Error('a bad sector')
    }
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.bytes - offset)))
    readSync(this.#now, bytes, 0, bytes.length, offset)
    return bytes
  }

  write(offset: number, bytes: Uint8Array): void {
    const own = Buffer.from(bytes)
    writeSync(this.#now, own, 0, own.length, offset)
    this.#unflushed.push({ offset, bytes: own })
  }

  flush(): void {
    for (const { offset, bytes } of this.#unflushed) {
      writeSync(this.#flushed, bytes, 0, bytes.byteLength, offset)
    }
    this.#unflushed = []
  }

  /** A copy as it is when the power goes now: what was flushed, and some sectors of the rest. */
  cut(to: string, seed: number): Told {
    execFileSync('cp', ['--sparse=always', this.#flushedFile, to])
    const fd = openSync(to, 'r+')
    const random = seededRandom(seed)
    // of one cut much is kept, of another nothing
    const share = [0, 0.5, 0.9, 1][Math.floor(random() * 4)] as number
    const told = { lost: 0, kept: 0 }
    for (const { offset, bytes } of this.#unflushed) {
      const isTorn = random() < 0.1
      const step = isTorn ? SECTOR_BYTES : bytes.byteLength
      for (let at = 0; at < bytes.byteLength; at += step) {
        const isKept = random() < share
        told[isKept ? 'kept' : 'lost']++
        if (isKept) writeSync(fd, bytes, at, Math.min(step, bytes.byteLength - at), offset + at)
      }
    }
    closeSync(fd)
    return told
  }

  /** Pages from the one on that begins like this can't be read any more; how many places. */
  spoil(begin: Uint8Array, bytes: number): Told {
    let spoilt = 0
    const page = Buffer.alloc(PAGE_BYTES)
    for (let at = 0; at < this.bytes; at += PAGE_BYTES) {
      readSync(this.#now, page, 0, PAGE_BYTES, at)
      if (!page.subarray(0, begin.byteLength).equals(begin)) continue
      spoilt++
      for (let n = 0; n * PAGE_BYTES < bytes; n++) this.#spoilt.add(at / PAGE_BYTES + n)
    }
    return { spoilt }
  }

  mend(): Told {
    this.#spoilt.clear()
    return {}
  }
}

const [file, nowFile, flushedFile, folder] = process.argv.slice(2) as [
  string,
  string,
  string,
  string
]
const disk = new Disk(nowFile, flushedFile)
const { ended } = await serveFile(file, disk)
process.on('message', (order: Order) => {
  try {
    process.send?.(carryOut(order))
  } catch (error) {
    process.send?.({ error: String(error) })
  }
})
// whoever made it has ended without removing it
process.on('disconnect', () => {
  for (const mounted of [folder, file]) spawn('umount', ['--lazy', mounted], { stdio: 'ignore' })
})
process.send?.({})
await ended
process.exit()

function carryOut(order: Order): Told {
  if (order.do === 'cut') return disk.cut(order.to, order.seed)
  if (order.do === 'spoil') return disk.spoil(Buffer.from(order.begin, 'hex'), order.bytes)
  return disk.mend()
}
