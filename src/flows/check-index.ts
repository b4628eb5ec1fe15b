// The index is checked against itself (rule 11), slowly, once a day; a fault is said loudly.

import { type Cause, causeOf } from '../base/cause.ts'
import { type Clock, sleep } from '../base/clock.ts'
import { isoTime } from '../base/iso-time.ts'
import type { Log } from '../base/log.ts'
import type { Finding } from '../index/check-scan.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { findAgain } from './find-again.ts'
import type { FlowParts } from './parts.ts'

export interface CheckParts {
  readonly index: ImageIndex
  readonly clock: Clock
  readonly log: Log
}

const DAY_MS = 86_400_000
/** After so much work it rests for so many times as long: a round takes a twentieth of the time. */
const WORK_MS = 20
const REST_TIMES = 19
/** Also after a page that took very long, as when the machine slept. */
const REST_MS_MAX = 10_000
/** Lines in the log for what one slice has found. */
const LINES_MAX = 20

/** Goes on with the round that is open, or begins one if the last ended a day ago. */
export async function checkIndexDaily(parts: FlowParts, signal: AbortSignal): Promise<void> {
  const { index, clock, log } = parts
  const { check, endedAtMs = 0 } = index.selfCheck.position()
  const sinceMs = clock.now() - endedAtMs
  if (check === undefined && sinceMs >= 0 && sinceMs < DAY_MS) return
  let sinceRestMs = clock.monotonicMs()
  const breathe = async () => {
    const workedMs = clock.monotonicMs() - sinceRestMs
    if (workedMs < WORK_MS) return
    await sleep(clock, Math.min(workedMs * REST_TIMES, REST_MS_MAX), signal)
    sinceRestMs = clock.monotonicMs()
  }
  let isOfBlobs = false
  const onFaults = (findings: readonly Finding[]) => {
    isOfBlobs ||= findings.some(({ kind }) => kind === 'blob')
    report(log)(findings)
  }
  const found = await index.selfCheck.goOn({ signal, breathe, onFaults })
  // a blob whose row was lost is wanted now, and may well be here
  if (isOfBlobs) await findAgain(parts, signal)
  log.debug({ found }, 'the index was checked against its entries')
}

/** The whole index at once, at full speed; how much of it was wrong. */
export function checkIndexNow({ index, log }: CheckParts, signal: AbortSignal): Promise<number> {
  return index.selfCheck.everything({ signal, onFaults: report(log) })
}

/** What a person should know about faults of the last day. */
export function indexTroubles({ index, clock }: Omit<CheckParts, 'log'>): Cause[] {
  const faults = index.selfCheck.faults()
  if (faults === undefined || clock.now() - faults.atMs > DAY_MS) return []
  const { mended, damaged } = faults
  const at = new Date(faults.atMs).toISOString().slice(0, 16).replace('T', ' ')
  const advice = 'If this comes again, check the disk and the memory of this machine.'
  const had = `The index had ${count(mended, 'fault')}, last at ${at} UTC, and was rebuilt there.`
  return [
    ...(mended === 0
      ? []
      : [
          causeOf('index_rebuilt', `${had} ${advice}`, { count: mended, at: isoTime(faults.atMs) })
        ]),
    ...(damaged === 0 ? [] : [causeOf('index_damaged', damagedReason(damaged), { count: damaged })])
  ]
}

function damagedReason(damaged: number): string {
  return (
    `The disk has changed ${count(damaged, 'entry', 'entries')} of the index: see the log. ` +
    'Check the disk. If other servers have everything, stop the node, move metadata/index away ' +
    'and start it again: it takes the index from them.'
  )
}

function report(log: Log) {
  return (findings: readonly Finding[]) => {
    for (const { kind, subject, mend } of findings.slice(0, LINES_MAX)) {
      const what =
        mend === undefined
          ? 'an entry of the index was changed by the disk, and is left as it is'
          : 'the index was wrong and has been rebuilt here'
      log.error({ kind, subject }, what)
    }
    const more = findings.length - LINES_MAX
    if (more > 0) log.error({ more }, 'more of the index was wrong; see the lines before')
  }
}

function count(number: number, one: string, many = `${one}s`): string {
  return number === 1 ? `1 ${one}` : `${number} ${many}`
}
