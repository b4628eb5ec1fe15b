// An open file of the process that takes lines of the log, each written at once, so that the last
// one before an exit is not lost. A line that can't be written is left out: a full disk, or a
// terminal that is gone, must not end a node that can do all else.

import { writeSync } from 'node:fs'
import { systemCodeOf } from '../base/errors.ts'

export interface LostLines {
  readonly lines: number
  /** Why the last of them could not be written. */
  readonly system: string
}

export class LogFile {
  readonly #fd: number
  #lost: LostLines | undefined
  /** The last line was written in part. */
  #isTorn = false
  #hear: (lost: LostLines) => void = () => {}

  constructor(fd: number) {
    this.#fd = fd
  }

  /** Calls `hear` after the first line that could be written again. */
  onLost(hear: (lost: LostLines) => void): void {
    this.#hear = hear
  }

  write(line: string): void {
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line)
    let written = 0
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written)
      this.#isTorn = false
    } catch (error) {
      this.#isTorn ||= written > 0
      const system = systemCodeOf(error) ?? String(error)
      this.#lost = { lines: (this.#lost?.lines ?? 0) + 1, system }
      return
    }
    const lost = this.#lost
    this.#lost = undefined
    if (lost !== undefined) this.#hear(lost)
  }
}
