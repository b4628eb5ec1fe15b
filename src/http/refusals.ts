// Who is turned away before anything is done for him - no key, a wrong one, too many requests - as
// lines of the audit log, a few for each client and minute.

import type { IncomingMessage } from 'node:http'
import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { AuditLog } from '../flows/audit.ts'
import { BoundedLines } from '../flows/bounded-lines.ts'
import type { Guard } from './guard.ts'

/** At most 22 lines a minute, a few megabytes a day: the log has room for weeks of them. */
const BOUNDS = { windowMs: 60_000, linesMax: 1, sourcesMax: 10 }
const CODES = ['UNAUTHORIZED', 'FORBIDDEN', 'TOO_MANY_REQUESTS']
const PATH_CHARACTERS_MAX = 200

export class Refusals {
  readonly #audit: AuditLog
  readonly #guard: Pick<Guard, 'clientOf'>
  readonly #lines: BoundedLines

  constructor(parts: {
    readonly audit: AuditLog
    readonly clock: Clock
    readonly guard: Pick<Guard, 'clientOf'>
  }) {
    this.#audit = parts.audit
    this.#guard = parts.guard
    this.#lines = new BoundedLines(parts.clock, BOUNDS, (line) => parts.audit.add(line))
  }

  note(request: IncomingMessage, error: unknown): void {
    if (!this.#audit.isOn || !isRefusal(error)) return
    const from = this.#guard.clientOf(request)
    const { method, url = '' } = request
    const path = url.split('?', 1)[0]?.slice(0, PATH_CHARACTERS_MAX)
    const about = { method, path }
    this.#lines.add(from, { action: 'refused', by: 'nobody', from, status: error.http, about })
  }

  flush(): void {
    this.#lines.flush()
  }
}

/** Pages that may not show images from here are no news: their readers have done nothing. */
export function isRefusal(error: unknown): error is NodeError {
  return (
    error instanceof NodeError && CODES.includes(error.code) && error.details.page === undefined
  )
}
