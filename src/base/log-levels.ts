// How much each part of the node says: as it was configured, and as somebody sets it while the node
// runs, until it ends.

import type { Log, LogLevel } from './log.ts'

/** What can be set apart from the rest, whose lines are the node's own. */
export const LOG_PART_TEXTS = {
  store: 'What is logged of files on the disk',
  network: 'What is logged of connections',
  mesh: 'What is logged of who belongs to the mesh',
  sync: 'What is logged of entries that servers exchange',
  blobs: 'What is logged of bytes that are fetched',
  flows: 'What is logged of what is done with images',
  http: 'What is logged of requests',
  alerts: 'What is logged of telling people'
} as const
export type LogPart = keyof typeof LOG_PART_TEXTS
export const LOG_PARTS = Object.keys(LOG_PART_TEXTS) as LogPart[]
export type PartLogs = Readonly<Record<LogPart, Log>>
export type PartLevels = Partial<Readonly<Record<LogPart, LogLevel | undefined>>>

/** One log for all parts. */
export function oneLog(log: Log): PartLogs {
  return Object.fromEntries(LOG_PARTS.map((part) => [part, log])) as Record<LogPart, Log>
}

export class LogLevels {
  /** Their lines name the part. */
  readonly parts: PartLogs
  readonly #root: Log
  readonly #configured: { readonly level: LogLevel; readonly parts: PartLevels }
  #level: LogLevel
  readonly #own: Map<LogPart, LogLevel>

  /** `parts` are the levels that differ from that of `root`. */
  constructor(root: Log, parts: PartLevels = {}) {
    this.#root = root
    this.#level = root.level as LogLevel
    this.#configured = { level: this.#level, parts }
    const given = LOG_PARTS.flatMap((part) => (parts[part] ? [[part, parts[part]] as const] : []))
    this.#own = new Map(given)
    const made = LOG_PARTS.map((part) => [part, root.child({ part })] as const)
    this.parts = Object.fromEntries(made) as Record<LogPart, Log>
    this.#apply()
  }

  /** Of all that has no level of its own. */
  get level(): LogLevel {
    return this.#level
  }

  /** Those that have one. */
  get own(): ReadonlyMap<LogPart, LogLevel> {
    return this.#own
  }

  /** Whether it is not as it was configured. */
  isChanged(part?: LogPart): boolean {
    const { level, parts } = this.#configured
    return part === undefined ? this.#level !== level : this.#own.get(part) !== parts[part]
  }

  /** Undefined: as it was configured. */
  set(part: LogPart | undefined, level: LogLevel | undefined): void {
    if (part === undefined) this.#level = level ?? this.#configured.level
    else {
      const next = level ?? this.#configured.parts[part]
      if (next === undefined) this.#own.delete(part)
      else this.#own.set(part, next)
    }
    this.#apply()
  }

  #apply(): void {
    this.#root.level = this.#level
    for (const part of LOG_PARTS) this.parts[part].level = this.#own.get(part) ?? this.#level
  }
}
