// Rule 11: all that follows from the entries is worked out anew, compared with what lies in the
// database, and mended where it differs.
//
// A round goes through the tables in slices. Its position is remembered, so that a node that is
// restarted every day comes to the end of a large index too. The order matters: entries get their
// look-ups before sums are counted by these, leaves are right before their parents are, and blobs
// before they are counted.
//
// Not checked: rows of the view, as what images/ shows is compared with the disk elsewhere, and
// intents, which only ask for a look. Watermarks, floor and horizon follow from no row here.

import type { AbstractSnapshot } from 'abstract-level'
import { KeyedLock } from '../base/keyed-lock.ts'
import type { Change } from './change-queue.ts'
import { checkBlobs } from './check-blobs.ts'
import { checkCounts } from './check-counts.ts'
import { checkEntries } from './check-entries.ts'
import { checkNames } from './check-names.ts'
import { checkPast } from './check-past.ts'
import type { Check, CheckedPart, Finding, Scan } from './check-scan.ts'
import { rightParts } from './check-sets.ts'
import { checkLeaves, checkLevel } from './check-tree.ts'
import {
  checkAges,
  checkHashes,
  checkIds,
  checkReviews,
  checkSources,
  checkWants
} from './check-ways.ts'
import { makeLateLookUps } from './late-look-ups.ts'
import type { Tables } from './tables.ts'

const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['entries', checkEntries],
  ['leaves', checkLeaves],
  ['level 2', checkLevel(2)],
  ['level 1', checkLevel(1)],
  ['root', checkLevel(0)],
  ['ids', checkIds],
  ['hashes', checkHashes],
  ['names', checkNames],
  ['sources', checkSources],
  ['reviews', checkReviews],
  ['ages', checkAges],
  ['past', checkPast],
  ['blobs', checkBlobs],
  ['wants', checkWants],
  ['counts', checkCounts]
]

/** What these find nothing in, where all of it is right as a whole. */
const COVERED: Readonly<Record<string, readonly CheckedPart[]>> = {
  entries: ['versions', 'ids', 'sources', 'names'],
  ids: ['ids'],
  hashes: ['names'],
  names: ['names'],
  sources: ['sources'],
  counts: ['counts']
}
const NOTHING: ReadonlySet<CheckedPart> = new Set()

/** Findings that are mended in one change, so that others need not wait for long. */
const MENDED_TOGETHER = 256

const POSITION = 'check'
const FAULTS = 'check_faults'

/** What was wrong when something was last found wrong; within a day it adds up. */
export interface IndexFaults {
  /** When the last of it was found. */
  readonly atMs: number
  readonly mended: number
  /** Entries that have other bytes than were written. */
  readonly damaged: number
}

export interface CheckPosition {
  /** Undefined between two rounds. */
  readonly check?: string | undefined
  readonly from: string
  /** End of the last round. */
  readonly endedAtMs?: number | undefined
}

export interface CheckedRows {
  snapshot(): AbstractSnapshot
  readonly tables: Tables
  change<T>(plan: Change<T>, options?: { durable?: boolean }): Promise<T>
}

export interface RoundOptions {
  readonly signal: AbortSignal
  /** Called between pages of rows: how much time this takes of the machine is up to the caller. */
  breathe(): Promise<void>
  /** Hears of what was wrong, once it is mended. */
  onFaults(findings: readonly Finding[]): void
}

export class SelfCheck {
  readonly #rows: CheckedRows
  /** Two slices side by side would both find one difference, and mend it twice. */
  readonly #lock = new KeyedLock<'slice'>()
  #hurried = 0

  constructor(rows: CheckedRows) {
    this.#rows = rows
  }

  /** Where the round is. */
  position(): CheckPosition {
    return (this.#rows.tables.meta.getSync(POSITION) as CheckPosition | undefined) ?? { from: '' }
  }

  faults(): IndexFaults | undefined {
    return this.#rows.tables.meta.getSync(FAULTS) as IndexFaults | undefined
  }

  /**
   * Goes on where the last call was broken off, and to the end; how many faults were found.
   * Rejects with the signal's reason, and with what the database throws.
   */
  async goOn(options: RoundOptions): Promise<number> {
    const { check: name, from } = this.position()
    const at = CHECKS.findIndex(([known]) => known === name)
    const found = await this.#run(Math.max(0, at), at < 0 ? '' : from, options, (position) =>
      this.#rows.change((tx) => tx.setMeta(POSITION, position), { durable: false })
    )
    await this.#rows.change(
      (tx) => tx.setMeta(POSITION, { from: '', endedAtMs: tx.nowMs } satisfies CheckPosition),
      { durable: false }
    )
    return found
  }

  /** A round of its own, from the beginning and at full speed. See goOn. */
  async everything(options: Omit<RoundOptions, 'breathe'>): Promise<number> {
    this.#hurried++ // a slice under way hurries, too
    try {
      const hurrying = { ...options, breathe: async () => {} }
      return await this.#run(0, '', hurrying, async () => {}, rightParts)
    } finally {
      this.#hurried--
    }
  }

  async #run(
    first: number,
    start: string,
    options: RoundOptions,
    remember: (position: CheckPosition) => Promise<void>,
    compare: (scan: Scan) => Promise<ReadonlySet<CheckedPart>> = async () => NOTHING
  ): Promise<number> {
    let found = 0
    // of what is left for later nothing can be missing
    while (await this.#rows.change((tx) => makeLateLookUps(tx.ledger.rows), { durable: false })) {
      options.signal.throwIfAborted()
      await options.breathe()
    }
    const right = await this.#look(NOTHING, options, compare)
    for (let from = start, at = first; at < CHECKS.length; at++, from = '') {
      const [name, check] = CHECKS[at] as (typeof CHECKS)[number]
      // what was mended meanwhile may count for what follows
      if (found === 0 && COVERED[name]?.every((part) => right.has(part))) continue
      for (let next: string | undefined = from; next !== undefined; ) {
        await remember({ check: name, from: next })
        const slice = await this.#lock.run('slice', () =>
          this.#slice(check, next ?? '', right, options)
        )
        found += slice.found
        next = slice.next
      }
    }
    return found
  }

  /** Reads from one snapshot. */
  async #look<T>(
    right: ReadonlySet<CheckedPart>,
    { signal, breathe }: RoundOptions,
    read: (scan: Scan) => Promise<T>
  ): Promise<T> {
    signal.throwIfAborted()
    const snapshot = this.#rows.snapshot()
    const scan = {
      tables: this.#rows.tables,
      snapshot,
      right,
      breathe: async () => {
        if (this.#hurried === 0) await breathe()
        signal.throwIfAborted()
      }
    }
    return await read(scan).finally(() => snapshot.close())
  }

  async #slice(check: Check, from: string, right: ReadonlySet<CheckedPart>, options: RoundOptions) {
    const { onFaults } = options
    const { findings, next } = await this.#look(right, options, (scan) => check(scan, from))
    const faults: Finding[] = []
    for (let at = 0; at < findings.length; at += MENDED_TOGETHER) {
      faults.push(...(await this.#mend(findings.slice(at, at + MENDED_TOGETHER))))
    }
    if (faults.length > 0) onFaults(faults)
    return { next, found: faults.length }
  }

  /** Those that are still so. */
  #mend(findings: readonly Finding[]): Promise<Finding[]> {
    return this.#rows.change(async (tx) => {
      const faults: Finding[] = []
      for (const finding of findings) {
        if (finding.mend === undefined || (await finding.mend(tx.ledger))) faults.push(finding)
      }
      if (faults.length > 0) {
        tx.setMeta(FAULTS, addFaults(tx.meta(FAULTS) as IndexFaults | undefined, faults, tx.nowMs))
      }
      return faults
    })
  }
}

const DAY_MS = 86_400_000

function addFaults(
  before: IndexFaults | undefined,
  faults: readonly Finding[],
  nowMs: number
): IndexFaults {
  const isOld = before === undefined || nowMs - before.atMs > DAY_MS
  const { mended, damaged } = isOld ? { mended: 0, damaged: 0 } : before
  const left = faults.filter(({ mend }) => mend === undefined).length
  // what is left as it is is found again by every round
  return { atMs: nowMs, mended: mended + faults.length - left, damaged: Math.max(damaged, left) }
}
