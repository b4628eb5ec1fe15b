// The folder images/ as others fill it: what stands there, without what they say they are still
// writing.

import type { Log } from '../base/log.ts'
import type { FileStamp } from './blob-store.ts'
import { onDisk } from './disk-error.ts'
import { type Folder, requireMarker } from './folder.ts'
import { makeFolder } from './make-folder.ts'
import { lstatOf } from './regular-file.ts'
import { type ForeignFile, ignoredBy, lookAtName, openForeign, scanFiles } from './scan.ts'

export interface DiskFoundFilesParts {
  readonly folder: Folder
  readonly log: Log
}

/** Each is told once. */
const UNREADABLE_MAX = 1000

export class DiskFoundFiles {
  readonly #folder: Folder
  readonly #isIgnored: (name: string) => boolean
  readonly #unreadable = new Set<string>()
  readonly #onUnreadable: (name: string, system: string) => void

  /** `ignore`: patterns of names that are left out. */
  constructor({ folder, log }: DiskFoundFilesParts, ignore: readonly string[]) {
    this.#folder = folder
    this.#isIgnored = ignoredBy(ignore)
    this.#onUnreadable = (name, system) => {
      if (this.#unreadable.has(name) || this.#unreadable.size >= UNREADABLE_MAX) return
      this.#unreadable.add(name)
      log.warn({ name, system }, 'a file or folder under images/ is closed')
    }
  }

  prepare(): void {
    requireMarker(this.#folder)
    const { images } = this.#folder
    if (lstatOf(images) === undefined) {
      onDisk('making the folder images/', () => makeFolder(images, 0o755))
    }
  }

  isIgnored(name: string): boolean {
    return name.split('/').some(this.#isIgnored)
  }

  scan({
    at,
    ...options
  }: {
    readonly signal: AbortSignal
    readonly at?: string
    readonly onFolder?: (name: string) => void
  }): AsyncIterable<string> {
    const isIgnored = this.#isIgnored
    const onUnreadable = this.#onUnreadable
    return scanFiles(this.#folder.images, { ...options, isIgnored, onUnreadable }, at)
  }

  look(name: string): Promise<FileStamp | 'folder' | undefined> {
    return lookAtName(this.#folder.images, name, this.#onUnreadable)
  }

  open(name: string): ForeignFile | undefined {
    return openForeign(this.#folder.images, name)
  }
}
