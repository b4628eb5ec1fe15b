// A list for a person, written line by line while it comes about.

import { appendFileSync, writeFileSync } from 'node:fs'
import { onDisk } from './disk-error.ts'

const BUFFERED_CHARACTERS_MAX = 64 * 1024

export class LineFile {
  readonly path: string
  #buffer: string[] = []
  #characters = 0

  /** Begins anew what is there. Errors: DISK_FULL, DISK_FAULT. */
  constructor(path: string) {
    this.path = path
    onDisk(`writing ${path}`, () => writeFileSync(path, '', { mode: 0o600 }))
  }

  /** Errors: DISK_FULL, DISK_FAULT. */
  add(line: string): void {
    this.#buffer.push(`${line}\n`)
    this.#characters += line.length
    if (this.#characters > BUFFERED_CHARACTERS_MAX) this.flush()
  }

  flush(): void {
    const text = this.#buffer.join('')
    this.#buffer = []
    this.#characters = 0
    if (text !== '') onDisk(`writing ${this.path}`, () => appendFileSync(this.path, text))
  }
}
