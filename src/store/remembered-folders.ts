// Which data folder this user had at which path: folders.json in the user's state folder, outside
// of any data folder, so that an empty mount point is not taken for a new node. Best effort:
// without it a node still starts.

import { join } from 'node:path'
import type { Log } from '../base/log.ts'
import { makeFolder } from './make-folder.ts'
import { readSmallFile, writeFileAtomic } from './small-file.ts'

/** More than a person has; the oldest are forgotten first. */
const FOLDERS_MAX = 1000
const BYTES_MAX = 8 * 1024 * 1024

export class RememberedFolders {
  readonly #stateDir: string
  readonly #log: Log
  readonly #ids: Map<string, string>

  constructor({ log }: { readonly log: Log }, { stateDir }: { readonly stateDir: string }) {
    this.#stateDir = stateDir
    this.#log = log
    this.#ids = this.#read()
  }

  idOf(path: string): string | undefined {
    return this.#ids.get(path)
  }

  async remember(path: string, id: string): Promise<void> {
    if (this.#ids.get(path) === id) return
    this.#ids.delete(path)
    this.#ids.set(path, id)
    const kept = [...this.#ids].slice(-FOLDERS_MAX)
    try {
      makeFolder(this.#stateDir, 0o700)
      const text = JSON.stringify({ folders: Object.fromEntries(kept) }, undefined, 2)
      await writeFileAtomic(this.#file, `${text}\n`)
    } catch (error) {
      this.#warn(error, 'can not be written: a later start can not tell a folder that was swapped')
    }
  }

  get #file(): string {
    return join(this.#stateDir, 'folders.json')
  }

  #read(): Map<string, string> {
    try {
      const bytes = readSmallFile(this.#file, BYTES_MAX)
      if (bytes === undefined) return new Map()
      const { folders }: { folders: unknown } = JSON.parse(bytes.toString())
      if (typeof folders !== 'object' || folders === null) throw new Error('no "folders" in it')
      return new Map(Object.entries(folders).filter(([, id]) => typeof id === 'string'))
    } catch (error) {
      this.#warn(error, 'can not be read: it is begun anew')
      return new Map()
    }
  }

  #warn(error: unknown, what: string): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.#log.warn({ file: this.#file, reason }, `the list of known data folders ${what}`)
  }
}
