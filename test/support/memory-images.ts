// The folder images/ of a node in memory, as other programs write into it.

import type { FoundFiles } from '../../src/flows/adopt-file.ts'
import type { FileStamp } from '../../src/store/blob-store.ts'
import { type ForeignFile, ignoredBy } from '../../src/store/scan.ts'
import type { MemoryNode } from './memory-node.ts'

interface Written {
  bytes: Uint8Array
  ino: number
  mtimeMs: number
  /** Called when its last byte was read. */
  onRead?: (() => void) | undefined
}

export class MemoryImages implements FoundFiles {
  readonly #node: Pick<MemoryNode, 'view' | 'store' | 'clock'>
  readonly #files = new Map<string, Written>()
  readonly #isIgnored = ignoredBy(['*.part', '*.tmp'])
  #lastIno = -1_000_000
  readonly aheadMs = 0
  /** Names that can't even be looked at, as in a folder that nobody may enter. */
  readonly closed = new Set<string>()
  /** How often a file was opened. */
  opened = 0

  constructor(node: Pick<MemoryNode, 'view' | 'store' | 'clock'>) {
    this.#node = node
  }

  /** Somebody puts a file there, of which the date is so long ago. */
  write(name: string, bytes: Uint8Array, ageMs = 0): Written {
    const mtimeMs = this.#node.clock.now() - ageMs
    const file: Written = { bytes, ino: --this.#lastIno, mtimeMs }
    this.#node.view.write(name, file.ino)
    this.#files.set(name, file)
    return file
  }

  /** Its writer goes on with it. */
  append(name: string, bytes: Uint8Array): void {
    const file = this.#foreign(name)
    if (file === undefined) throw new Error(`${name} is not there any more`)
    file.bytes = Buffer.concat([file.bytes, bytes])
    file.mtimeMs = this.#node.clock.now()
  }

  remove(name: string): void {
    this.#node.view.unlink(name)
  }

  prepare(): void {}

  isIgnored(name: string): boolean {
    return name.split('/').some(this.#isIgnored)
  }

  async *scan({ at, onFolder }: Parameters<FoundFiles['scan']>[0]): AsyncGenerator<string> {
    onFolder?.(at ?? '')
    for (const name of this.#node.view.names()) {
      const isBelow = at === undefined || name.startsWith(`${at}/`)
      if (isBelow && !this.isIgnored(name)) yield name
    }
  }

  async look(
    name: string,
    onLeftOut?: (name: string, why: string) => void
  ): Promise<FileStamp | 'folder' | undefined> {
    const { view, store } = this.#node
    if (this.closed.has(name)) return void onLeftOut?.(name, "it can't be read (EACCES)")
    const file = this.#foreign(name)
    if (file !== undefined) return stampOf(file)
    const at = view.at(name)
    if (at !== undefined && at !== 'foreign') return store.stamp(at)
    return view.names().some((one) => one.startsWith(`${name}/`)) ? 'folder' : undefined
  }

  open(name: string): ForeignFile | undefined {
    const file = this.#foreign(name)
    if (file === undefined) return undefined
    this.opened++
    const stamp = stampOf(file)
    return {
      path: name,
      stamp,
      async *read() {
        yield file.bytes
        file.onRead?.()
      },
      async readWhole() {
        file.onRead?.()
        return { bytes: file.bytes, giveBack: () => {} }
      },
      isUnchanged: () => file.mtimeMs === stamp.mtimeMs && this.#foreign(name) === file,
      close: () => {}
    }
  }

  #foreign(name: string): Written | undefined {
    return this.#node.view.at(name) === 'foreign' ? this.#files.get(name) : undefined
  }
}

function stampOf({ bytes, ino, mtimeMs }: Written): FileStamp {
  return { ino, size: bytes.byteLength, mtimeMs, ctimeMs: mtimeMs }
}
