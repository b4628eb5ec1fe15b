// An existing collection is taken in: files that were under images/ before this node, and what an
// earlier file_index.json says of them.
//
// It can be broken off anywhere and begun again: what is in the index already is passed over. What
// is still being written is left to the scans that follow (adoption.ts).

import type { ImagePath } from '../../protocols/path.ts'
import { sleep } from '../base/clock.ts'
import { forEachAtOnce } from '../base/for-each.ts'
import type { TaskControl } from '../base/task-board.ts'
import { type AdoptOptions, type AdoptParts, adoptFile, type Outcome } from './adopt-file.ts'
import type { LegacyFile } from './legacy-index.ts'
import { type FoundFacts, QUIET_MS } from './plan-adopt.ts'

export interface AdoptReport {
  adopted: number
  /** In the index already. */
  known: number
  /** Left where they are, with the reason in the task's errors. */
  refused: number
  /** Still being written: taken in once they are quiet. */
  waiting: number
  /** Taken in, though their MD5 is not the one that file_index.json has. */
  changed: number
  /** Named in file_index.json, but there is no such file. */
  absent: number
}

export interface AdoptControl extends Pick<TaskControl, 'signal' | 'processed' | 'error'> {
  /** The folder below images/; without it all of it. */
  readonly at?: string
  /** Hears what became of each file. */
  readonly hear?: (outcome: Outcome) => void
}

/** Enough for the disk to make many durable at once; what they hold in memory is bounded apart. */
export const FILES_AT_ONCE = 128
/** For `AdoptParts.allowance`: as many files of 32 KiB, or 16 large ones. */
export const ADOPTED_BYTES_MAX = 8 * 2 ** 20
const ABSENT_LOGGED_MAX = 100
/** Files that are looked at a second time: those that somebody is writing at the moment. */
const WAITING_MAX = 10_000

/**
 * Takes in what is under images/, or below one folder there. Rejects when the signal is aborted or
 * the disk fails.
 */
export async function adopt(
  parts: AdoptParts,
  options: AdoptOptions,
  legacy: ReadonlyMap<string, LegacyFile>,
  control: AdoptControl
): Promise<AdoptReport> {
  const report = { adopted: 0, known: 0, refused: 0, waiting: 0, changed: 0, absent: 0 }
  const { clock } = parts.flows
  const waiting = new Map<string, FoundFacts['before']>()
  let seen = 0
  const onLeftOut = (name: string, why: string) => {
    report.refused++
    control.error(name, why)
  }
  const visit = async (name: string) => {
    control.signal.throwIfAborted()
    const stamp = await parts.found.look(name, onLeftOut)
    if (stamp === undefined || stamp === 'folder') return
    const file = { name, stamp, legacy: legacy.get(name.normalize('NFC')) }
    const outcome = await adoptFile(parts, options, { ...file, before: waiting.get(name) })
    const isFirst = !waiting.delete(name)
    if (isFirst) control.processed(++seen)
    if (outcome.is === 'waiting' && isFirst && waiting.size < WAITING_MAX) {
      waiting.set(name, { stamp, ageMs: QUIET_MS })
    } else {
      if (outcome.is === 'refused') parts.left.add(name, stamp)
      count(parts, name, outcome, control, report)
    }
  }
  const { signal, at } = control
  const names = parts.found.scan({ signal, ...(at !== undefined && { at }), onLeftOut })
  parts.found.prepare()
  await forEachAtOnce(names, FILES_AT_ONCE, visit)
  if (waiting.size > 0) {
    await sleep(clock, QUIET_MS, control.signal)
    await forEachAtOnce([...waiting.keys()], FILES_AT_ONCE, visit)
  }
  await reportAbsent(parts, legacy, control, report)
  return report
}

function count(
  parts: AdoptParts,
  name: string,
  outcome: Outcome,
  control: AdoptControl,
  report: AdoptReport
): void {
  control.hear?.(outcome)
  switch (outcome.is) {
    case 'known':
      report.known++
      return
    case 'waiting':
    case 'later':
      report.waiting++
      return
    case 'taken':
      report.adopted++
      if (outcome.otherMd5) report.changed++
      return
    case 'refused':
    case 'set aside':
      report.refused++
      control.error(name, outcome.why)
      parts.flows.log.warn({ path: name, reason: outcome.why }, 'not taken in from images/')
      return
    default:
      outcome satisfies never
  }
}

async function reportAbsent(
  { flows: { index, log }, found }: AdoptParts,
  legacy: ReadonlyMap<string, LegacyFile>,
  control: AdoptControl,
  report: AdoptReport
): Promise<void> {
  for (const path of legacy.keys()) {
    if (index.get(path as ImagePath) !== undefined) continue
    const there = await found.look(path)
    if (there !== undefined && there !== 'folder') continue
    report.absent++
    control.error(path, 'file_index.json names it, but there is no such file under images/')
    if (report.absent <= ABSENT_LOGGED_MAX) {
      log.warn({ path }, 'file_index.json names an image that is not under images/')
    }
  }
}
