// How the node has been in the last hours: one sample every few seconds, in memory only, so that a
// page that is opened later shows what was before.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpParts } from './ports.ts'

export const SAMPLE_MS = 5000
/** Six hours, in a third of a megabyte. */
export const SAMPLES_MAX = 4320

/** What a sample says; rates are of the time since the one before. */
export const SAMPLE_COLUMNS = {
  at: 'Milliseconds since 1970',
  received_rate: 'Bytes a second from other servers',
  sent_rate: 'Bytes a second to other servers',
  queue_files: 'Blobs that should be here and are not',
  queue_bytes: 'Sum of their sizes',
  latency_ms: 'Round trip to the connected servers, the mean of them; null without any',
  request_rate: 'HTTP requests a second that have ended',
  request_ms: 'How long they took, the mean of them; null without any',
  failed_rate: 'Of them, those a second that ended with a status from 500 on',
  failed_files: 'Wanted blobs that no server could give'
} as const

export type SampleColumn = keyof typeof SAMPLE_COLUMNS
const NAMES = Object.keys(SAMPLE_COLUMNS) as SampleColumn[]

/** Oldest first, one list a column, all of one length. */
export type SampleTable = Record<SampleColumn, (number | null)[]>

type SampleParts = Pick<HttpParts, 'clock' | 'log' | 'mesh' | 'meshStatus' | 'status'>

export class Samples {
  readonly #parts: SampleParts
  readonly #columns = NAMES.map(() => new Float64Array(SAMPLES_MAX))
  /** Ever taken; the oldest are overwritten. */
  #count = 0
  /** Of the sample before; none at the first. */
  #before: { readonly atMs: number; readonly received: number; readonly sent: number } | undefined
  #requests = { count: 0, ms: 0, failed: 0 }
  #cancel: (() => void) | undefined

  constructor(parts: SampleParts) {
    this.#parts = parts
  }

  /** Takes samples until `end`. */
  begin(): void {
    this.#cancel = this.#parts.clock.after(SAMPLE_MS, () => {
      this.#take()
      this.begin()
    })
  }

  end(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** A request has ended after `ms`; those that stay open to watch say nothing by their time. */
  note({ url = '' }: IncomingMessage, { statusCode }: ServerResponse, ms: number): void {
    if (/^\/(api\/events|stream-logs)\b/.test(url)) return
    this.noteRead(ms)
    if (statusCode >= 500) this.#requests.failed++
  }

  /** The same of one that did not fail. */
  noteRead(ms: number): void {
    this.#requests.count++
    this.#requests.ms += ms
  }

  /**
   * Samples later than a time, at most `rowsMax` (1 or more) of them: where there are more, each
   * row is the mean of as many neighbours.
   */
  since(afterMs: number, rowsMax: number): SampleTable {
    const kept = Math.min(this.#count, SAMPLES_MAX)
    const all = Array.from({ length: kept }, (_, at) => (this.#count - kept + at) % SAMPLES_MAX)
    const times = this.#columns[0] as Float64Array
    const places = all.filter((place) => (times[place] as number) > afterMs)
    const perRow = Math.max(1, Math.ceil(places.length / rowsMax))
    const rows = Array.from({ length: Math.ceil(places.length / perRow) }, (_, row) =>
      places.slice(row * perRow, (row + 1) * perRow)
    )
    const lists = this.#columns.map((column) =>
      rows.map((row) => meanOf(row.map((place) => column[place] as number)))
    )
    return Object.fromEntries(NAMES.map((name, at) => [name, lists[at]])) as SampleTable
  }

  #take(): void {
    try {
      const sample = this.#sample()
      const place = this.#count % SAMPLES_MAX
      for (const [at, name] of NAMES.entries()) {
        const column = this.#columns[at] as Float64Array
        column[place] = sample[name] ?? Number.NaN
      }
      this.#count++
    } catch (error) {
      // as for a moment while the index is opened anew: the next one is soon
      this.#parts.log.warn({ err: error }, 'no sample could be taken')
    }
  }

  #sample(): Record<SampleColumn, number | undefined> {
    const { clock, mesh, meshStatus, status } = this.#parts
    const { counts } = status()
    const now = this.#counters()
    const before = this.#before ?? { atMs: now.atMs - SAMPLE_MS, received: 0, sent: 0 }
    const { count, ms, failed } = this.#requests
    this.#before = now
    this.#requests = { count: 0, ms: 0, failed: 0 }
    const seconds = Math.max(now.atMs - before.atMs, 1) / 1000
    const latencies = (mesh?.servers() ?? []).flatMap(({ connectedAtMs, latencyMs }) =>
      connectedAtMs === undefined || latencyMs === undefined ? [] : [latencyMs]
    )
    return {
      at: clock.now(),
      received_rate: (now.received - before.received) / seconds,
      sent_rate: (now.sent - before.sent) / seconds,
      queue_files: counts.wants,
      queue_bytes: counts.wantBytes,
      latency_ms: meanOf(latencies) ?? undefined,
      request_rate: count / seconds,
      request_ms: count === 0 ? undefined : ms / count,
      failed_rate: failed / seconds,
      failed_files: meshStatus?.failedBlobs() ?? 0
    }
  }

  #counters() {
    const traffic = this.#parts.meshStatus?.traffic()
    return {
      atMs: this.#parts.clock.monotonicMs(),
      received: traffic?.bytesReceived ?? 0,
      sent: traffic?.bytesSent ?? 0
    }
  }
}

/** To thousandths, of those that are known; null if none is. */
function meanOf(values: readonly number[]): number | null {
  const known = values.filter((value) => !Number.isNaN(value))
  if (known.length === 0) return null
  return Math.round((1000 * known.reduce((sum, one) => sum + one, 0)) / known.length) / 1000
}
