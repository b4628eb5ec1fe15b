// Lines of the audit log that somebody can cause as often as he likes: so many of each in a time,
// then one that says how many more there were. So nobody pushes out what others did.

import type { Clock } from '../base/clock.ts'
import type { AuditLine } from './audit-line.ts'

export type Line = Omit<AuditLine, 'at'>

export interface LineBounds {
  readonly windowMs: number
  /** Lines of one source in that time, before the one that counts the rest. */
  readonly linesMax: number
  /** Sources that are told apart in that time; all others share the lines of one. */
  readonly sourcesMax: number
}

interface Source {
  lines: number
  /** Those that were not written, and the last of them. */
  more: number
  last: Line
}

const OTHERS = 'others'

export class BoundedLines {
  readonly #clock: Pick<Clock, 'after'>
  readonly #bounds: LineBounds
  readonly #write: (line: Line) => void
  readonly #sources = new Map<string, Source>()
  #cancel: (() => void) | undefined

  constructor(clock: Pick<Clock, 'after'>, bounds: LineBounds, write: (line: Line) => void) {
    this.#clock = clock
    this.#bounds = bounds
    this.#write = write
  }

  add(name: string, line: Line): void {
    const { windowMs, linesMax, sourcesMax } = this.#bounds
    const isKnown = this.#sources.has(name) || this.#sources.size < sourcesMax
    const key = isKnown ? name : OTHERS
    const source = this.#sources.get(key) ?? { lines: 0, more: 0, last: line }
    this.#sources.set(key, source)
    source.last = line
    if (source.lines < linesMax) {
      source.lines++
      this.#write(line)
    } else source.more++
    this.#cancel ??= this.#clock.after(windowMs, () => this.flush())
  }

  /** Writes what was only counted; the next time begins. */
  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const counted = [...this.#sources].filter(([, { more }]) => more > 0)
    this.#sources.clear()
    for (const [name, { more, last }] of counted) {
      const { action, by, from } = last
      const whose = name === OTHERS ? { by: OTHERS } : { by, ...(from !== undefined && { from }) }
      this.#write({ action, ...whose, about: { more } })
    }
  }
}
