// images/ in memory, for simulations: the same rules as on a disk that can link.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { FileStamp } from './blob-store.ts'
import type { ImageView, ShownFile, ViewFile } from './image-view.ts'
import type { MemoryBlobs } from './memory-blobs.ts'
import { planViewName } from './plan-view-name.ts'

/** A file without a hash was put there by somebody else. */
interface MemoryViewFile {
  readonly ino: number
  readonly hash?: ContentHash | undefined
}

export class MemoryView implements ImageView {
  readonly #blobs: MemoryBlobs
  readonly #files = new Map<string, MemoryViewFile>()
  /** What the disk has under names whose change is not durable yet. */
  readonly #before = new Map<string, MemoryViewFile | undefined>()
  /** How many files each folder has below it. */
  readonly #folders = new Map<string, number>()
  readonly #setAside: string[] = []
  isOn = true

  constructor({ blobs }: { readonly blobs: MemoryBlobs }) {
    this.#blobs = blobs
  }

  async show(
    path: ImagePath,
    hash: ContentHash,
    previous: ViewFile | undefined
  ): Promise<ShownFile | undefined> {
    const stamp = this.isOn ? this.#blobs.linked(hash) : undefined
    if (stamp === undefined) return undefined
    const still = previous !== undefined && this.#files.get(previous.name)?.ino === previous.ino
    const name = still ? previous.name : this.#freeName(path, stamp.ino)
    this.#put(name, { ino: stamp.ino, hash })
    return { name, ino: stamp.ino }
  }

  has(name: string): boolean {
    return this.#files.has(name)
  }

  isWritable(name: string): boolean {
    return this.at(name) === 'foreign'
  }

  async moveAside(name: string, { ino }: FileStamp): Promise<boolean> {
    if (this.#files.get(name)?.ino !== ino) return false
    this.#moveAway(name)
    return true
  }

  async hide({ name, ino, hash }: ViewFile): Promise<void> {
    const file = this.#files.get(name)
    if (file === undefined) return
    if (file.ino !== ino && (hash === undefined || file.hash !== hash)) return
    this.#take(name)
    if (file.hash !== undefined) this.#blobs.linked(file.hash)
  }

  async sweep(name: string): Promise<void> {
    if (this.isOn && this.#files.get(name)?.hash !== undefined) this.#moveAway(name)
  }

  async durable(names: readonly string[]): Promise<void> {
    for (const name of names) this.#before.delete(name)
  }

  /** Takes back what is not durable. */
  cutPower(): void {
    for (const [name, file] of this.#before) {
      if (file === undefined) this.#take(name)
      else this.#put(name, file)
    }
    this.#before.clear()
  }

  /**
   * What a reader of the folder finds under a name: the hash of a blob, or that it is somebody
   * else's.
   */
  at(name: string): ContentHash | 'foreign' | undefined {
    const file = this.#files.get(name)
    return file && (file.hash ?? 'foreign')
  }

  /** All that a reader of the folder finds. */
  names(): readonly string[] {
    return [...this.#files.keys()]
  }

  /** Somebody else writes a file. */
  write(name: string, ino = -1 - this.#files.size): void {
    this.#put(name, { ino })
  }

  /** Somebody else removes a file. */
  unlink(name: string): void {
    this.#take(name)
  }

  /** Names of files that were set aside. */
  get setAside(): readonly string[] {
    return this.#setAside
  }

  #freeName(path: ImagePath, ino: number): string {
    const suffixed = new Set<number>()
    while (true) {
      const name = planViewName(path, suffixed)
      const taken = this.#takenPart(name)
      if (taken === undefined) {
        if (this.#files.has(name) && this.#files.get(name)?.ino !== ino) this.#moveAway(name)
        return name
      }
      if (!suffixed.has(taken)) suffixed.add(taken)
      else this.#moveAway(foldersOf(name)[taken] ?? name)
    }
  }

  /** The part of the name that is a file and must be a folder, or the other way round. */
  #takenPart(name: string): number | undefined {
    const folders = foldersOf(name)
    const part = folders.findIndex((folder) => this.#files.has(folder))
    if (part >= 0) return part
    return this.#folders.has(name) ? folders.length : undefined
  }

  #moveAway(name: string): void {
    for (const file of [...this.#files.keys()]) {
      if (file !== name && !file.startsWith(`${name}/`)) continue
      this.#take(file)
      this.#setAside.push(file)
    }
  }

  #put(name: string, file: MemoryViewFile): void {
    this.#take(name)
    if (!this.#before.has(name)) this.#before.set(name, undefined)
    this.#files.set(name, file)
    for (const folder of foldersOf(name)) {
      this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + 1)
    }
  }

  #take(name: string): void {
    const file = this.#files.get(name)
    if (file === undefined) return
    this.#files.delete(name)
    if (!this.#before.has(name)) this.#before.set(name, file)
    for (const folder of foldersOf(name)) {
      const left = (this.#folders.get(folder) ?? 0) - 1
      if (left > 0) this.#folders.set(folder, left)
      else this.#folders.delete(folder)
    }
  }
}

/** Every folder on the way to a name, outermost first. */
function foldersOf(name: string): readonly string[] {
  const parts = name.split('/')
  return parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join('/'))
}
