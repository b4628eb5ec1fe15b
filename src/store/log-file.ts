// An open file of the process that takes lines of the log, each written at once, so that the last
// one before an exit is not lost. A line that can't be written is left out: a full disk, or a
// terminal that is gone, must not end a node that can do all else.
//
// A pipe to a program that collects logs holds few lines, and takes none while that program has not
// had its turn. It gets a moment, once: one that reads no more does not hold up the node again.

import { writeSync } from 'node:fs'
import { holdUp } from '../base/clock.ts'
import { systemCodeOf } from '../base/errors.ts'

export interface LostLines {
  readonly lines: number
  /** Why the last of them could not be written. */
  readonly system: string
}

const PAUSE_MS = 5
/** Until a line is left out. */
const PAUSES_MAX = 20

export class LogFile {
  readonly #fd: number
  readonly #pause: (ms: number) => void
  #lost: LostLines | undefined
  /** The last line was written in part. */
  #isTorn = false
  #hear: (lost: LostLines) => void = () => {}

  constructor(fd: number, pause = holdUp) {
    this.#fd = fd
    this.#pause = pause
  }

  /** Calls `hear` after the first line that could be written again. */
  onLost(hear: (lost: LostLines) => void): void {
    this.#hear = hear
  }

  write(line: string): void {
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line)
    let written = 0
    try {
      while (written < bytes.length) written += this.#writeSome(bytes.subarray(written))
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

  /** Waits for a pipe that is full, unless lines are being lost already. */
  #writeSome(bytes: Uint8Array): number {
    for (let pauses = this.#lost === undefined ? PAUSES_MAX : 0; ; pauses--) {
      try {
        return writeSync(this.#fd, bytes)
      } catch (error) {
        if (pauses === 0 || systemCodeOf(error) !== 'EAGAIN') throw error
        this.#pause(PAUSE_MS)
      }
    }
  }
}
