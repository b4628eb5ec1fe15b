// The last events of this node, for people: metadata/sync_log.json, bounded and always valid JSON.

import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'

const EVENTS = [
  'added',
  'replaced',
  'deleted',
  'restored',
  'damaged',
  'missing',
  'healed',
  'adopted',
  'removed-again'
] as const
export type JournalEvent = (typeof EVENTS)[number]

export interface JournalLine {
  readonly at: string
  readonly event: JournalEvent
  readonly path?: string
  readonly sha256?: string
  readonly note?: string
  /** The id of a server. */
  readonly server?: string
}

/** Enough to see what happened lately; the file stays below a megabyte. */
export const JOURNAL_LINES_MAX = 1000
/** A burst of events costs one write in this time. */
const WRITE_DELAY_MS = 5000

export interface JournalParts {
  readonly clock: Clock
  readonly log: Log
  /** Replaces the file atomically. */
  readonly write: (text: string) => Promise<void>
}

export class Journal {
  readonly #parts: JournalParts
  #lines: JournalLine[]
  #cancel: (() => void) | undefined
  #writing: Promise<void> = Promise.resolve()
  readonly #listeners: ((line: JournalLine) => void)[] = []

  /** `earlier` is the text of the file from the last run, whatever state it is in. */
  constructor(parts: JournalParts, earlier: string | undefined) {
    this.#parts = parts
    this.#lines = linesOf(earlier)
  }

  get lines(): readonly JournalLine[] {
    return this.#lines
  }

  /** Calls `listener` with each line from now on. */
  onLine(listener: (line: JournalLine) => void): void {
    this.#listeners.push(listener)
  }

  add(event: JournalEvent, facts: Omit<JournalLine, 'at' | 'event'>): void {
    const line = { at: new Date(this.#parts.clock.now()).toISOString(), event, ...facts }
    this.#lines.push(line)
    for (const listener of this.#listeners) listener(line)
    if (this.#lines.length > JOURNAL_LINES_MAX) this.#lines = this.#lines.slice(-JOURNAL_LINES_MAX)
    this.#cancel ??= this.#parts.clock.after(WRITE_DELAY_MS, () => void this.flush())
  }

  /**
   * Writes what is not yet written. A disk that refuses it is logged: the journal is a convenience.
   */
  flush(): Promise<void> {
    if (this.#cancel === undefined) return this.#writing
    this.#cancel()
    this.#cancel = undefined
    const text = `[\n${this.#lines.map((line) => JSON.stringify(line)).join(',\n')}\n]\n`
    this.#writing = this.#writing
      .then(() => this.#parts.write(text))
      .catch((error) => this.#parts.log.warn({ err: error }, 'sync_log.json could not be written'))
    return this.#writing
  }
}

function linesOf(text: string | undefined): JournalLine[] {
  try {
    const lines: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(lines) ? lines.filter(isLine).slice(-JOURNAL_LINES_MAX) : []
  } catch {
    return [] // half a file: begin anew
  }
}

/** Other programs have written files of this name too. */
function isLine(value: unknown): value is JournalLine {
  const { at, event } = (value ?? {}) as Partial<Record<keyof JournalLine, unknown>>
  return typeof at === 'string' && EVENTS.some((known) => known === event)
}
