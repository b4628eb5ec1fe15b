// Who did what here: a line of JSON for each, in a file to which is only ever added. Changes that
// other servers made are theirs to write down, but for who comes in and who may come in.

import { KIND_RECORD } from '../../protocols/entry.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { News } from '../index/transaction.ts'
import type { AuditLine } from './audit-line.ts'
import { BoundedLines } from './bounded-lines.ts'
import type { Brakes, Release } from './brakes.ts'
import type { Journal, JournalLine } from './journal.ts'

/** Where the lines go. */
export interface AuditFile {
  append(text: string): Promise<void>
  texts(): Iterable<string>
  close(): Promise<void>
}

/** Lines that wait for the disk; one that takes none loses the lines, and the log says so. */
const WAITING_MAX = 10_000
const LINE_CHARACTERS_MAX = 8192
/** Between two lines of the log that lines of this one were lost: a dead disk takes none. */
const TELL_AGAIN_MS = 60_000
/** Of each action of one server: who enters a mesh hears all that there is at once. */
const FROM_OTHERS = { windowMs: 3_600_000, linesMax: 100, sourcesMax: 1000 }

export class AuditLog {
  readonly #clock: Clock
  readonly #log: Log
  readonly #file: AuditFile | undefined
  #waiting: string[] = []
  #writing: Promise<void> | undefined
  #lost = 0
  #toldMs = Number.NEGATIVE_INFINITY
  readonly #lasts: (() => void)[] = []

  /** Without a file nothing is written down. */
  constructor(parts: {
    readonly clock: Clock
    readonly log: Log
    readonly file: AuditFile | undefined
  }) {
    this.#clock = parts.clock
    this.#log = parts.log
    this.#file = parts.file
  }

  get isOn(): boolean {
    return this.#file !== undefined
  }

  /** On disk soon after. Never throws. */
  add(line: Omit<AuditLine, 'at'>): void {
    if (this.#file === undefined) return
    const at = new Date(this.#clock.now()).toISOString()
    const text = JSON.stringify({ at, ...line })
    const short = { at, action: line.action, by: line.by, from: line.from, status: line.status }
    this.#waiting.push(text.length > LINE_CHARACTERS_MAX ? JSON.stringify(short) : text)
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.shift()
      this.#lost++
    }
    this.#writing ??= this.#write(this.#file)
  }

  /** The newest first. */
  async *lines(): AsyncGenerator<AuditLine> {
    await this.flush()
    for (const text of this.#file?.texts() ?? []) {
      for (const line of text.split('\n').reverse()) {
        const read = readLine(line)
        if (read !== undefined) yield read
      }
    }
  }

  async flush(): Promise<void> {
    await this.#writing
  }

  /** Calls `last` before the log ends. */
  onStop(last: () => void): void {
    this.#lasts.push(last)
  }

  async stop(): Promise<void> {
    for (const last of this.#lasts) last()
    await this.flush()
    await this.#file?.close()
  }

  /** Never rejects. */
  async #write(file: AuditFile): Promise<void> {
    await Promise.resolve() // what is done together is written together
    while (this.#waiting.length > 0) {
      const lines = this.#waiting
      this.#waiting = []
      try {
        await file.append(`${lines.join('\n')}\n`)
      } catch (error) {
        this.#lost += lines.length
        this.#tellLost(error)
      }
    }
    this.#writing = undefined
  }

  #tellLost(error: unknown): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#toldMs < TELL_AGAIN_MS) return
    this.#toldMs = nowMs
    this.#log.error({ err: error, lost: this.#lost }, 'the audit log could not be written')
  }
}

/** The last one may have been cut by a crash. */
function readLine(text: string): AuditLine | undefined {
  try {
    const line = JSON.parse(text)
    return typeof line?.at === 'string' && typeof line.action === 'string' ? line : undefined
  } catch {
    return undefined
  }
}

/** What happens here without a request: to be called once, before anything happens. */
export function tellAudit(parts: {
  readonly audit: AuditLog
  readonly clock: Clock
  readonly index: Pick<ImageIndex, 'onNews'>
  readonly journal: Pick<Journal, 'onLine'>
  readonly brakes: Pick<Brakes, 'onRelease'>
}): void {
  const { audit, clock, index, journal, brakes } = parts
  if (!audit.isOn) return
  const lines = new BoundedLines(clock, FROM_OTHERS, (line) => audit.add(line))
  audit.onStop(() => lines.flush())
  index.onNews((news) => {
    for (const one of news) tellNews(lines, one)
  })
  journal.onLine((line) => tellLine(audit, line))
  brakes.onRelease((release) => tellRelease(audit, release))
}

const RECORDS: readonly (readonly [prefix: string, written: string, deleted: string])[] = [
  ['member/', 'join', 'remove server'],
  ['key/', 'make key', 'revoke key'],
  ['key-revoked/', 'revoke key for good', 'delete revocation of key'],
  ['block/', 'block', 'unblock']
]

/** Records that came from others. A member writes its own one again when its addresses change. */
function tellNews(lines: BoundedLines, { entry, from }: News): void {
  if (from === undefined || entry.kind !== KIND_RECORD) return
  const known = RECORDS.find(([prefix]) => entry.path.startsWith(prefix))
  if (known === undefined) return
  const [prefix, written, deleted] = known
  if (prefix === 'member/' && entry.replaces !== undefined && !entry.deleted) return
  const about = { id: entry.path.slice(prefix.length), writer: entry.writer }
  const action = entry.deleted ? deleted : written
  lines.add(`${action} ${from}`, { action, by: `server ${from}`, about })
}

/** What a person here decides is told with the request. */
function tellRelease(audit: AuditLog, { by, from, kind, how, token, count, of }: Release): void {
  if (by === undefined) return
  const about = { id: token, kind, how, count, of, from }
  audit.add({ action: 'release brake', by: `server ${by}`, about })
}

/** Files under images/ have no caller, and what this node does by itself has none. */
function tellLine(audit: AuditLog, { event, path, sha256, note, server }: JournalLine): void {
  if (event === 'removed-again') {
    const about = { id: server, why: note }
    audit.add({ action: 'remove server', by: 'this node', about })
  }
  const isReplaced = event === 'replaced' && note?.includes('file under images/') === true
  if (event !== 'adopted' && !isReplaced) return
  audit.add({ action: isReplaced ? 'replace' : 'add', by: 'a file', about: { path, sha256 } })
}
