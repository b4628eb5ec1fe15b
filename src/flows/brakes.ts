// What is too much to be meant stops until a person confirms it: a disk whose files are gone all at
// once, and images that are deleted, replaced or blocked in masses, by whomever.
//
//   loss     no blob is called lost any more, nothing is fetched in its place, and nothing is
//            claimed to be held here: the disk may be unmounted
//   changes  nobody deletes, replaces or blocks images here, and nothing leaves the trash
//
// An engaged brake is kept in the index, so that a restart does not release it.

import type { ContentHash } from '../../protocols/hash.ts'
import { type Cause, causeOf } from '../base/cause.ts'
import { type Clock, type Random, randomHex } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { News } from '../index/transaction.ts'
import { blockedBy } from './block-record.ts'
import { isTooMuch, Recent } from './plan-brakes.ts'

export type BrakeKind = 'loss' | 'changes'

export interface Brake {
  readonly kind: BrakeKind
  /** Confirms that a person has seen it. */
  readonly token: string
  readonly sinceMs: number
  /** When the first of what it counted happened, at the earliest. */
  readonly fromMs: number
  readonly count: number
  readonly of: number
  /** What happened, in one sentence. */
  readonly reason: string
  /** Of a loss: some of the blobs that are gone. */
  readonly samples?: readonly ContentHash[]
}

export interface BrakeParts {
  readonly index: ImageIndex
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const CHANGES_MS = 60_000
const SAMPLES_MAX = 20
const LOSS_MS = 60 * 60_000
/** After a confirmation the same may go on for this long. */
export const ALLOWED_MS = 10 * 60_000

/** The record by which a confirmation reaches the other servers. */
const ALLOWED = 'brake/allowed'

const NAMES: Readonly<Record<BrakeKind, string>> = { loss: 'brake/loss', changes: 'brake/changes' }

export class Brakes {
  readonly #parts: BrakeParts
  readonly #recent = { loss: new Recent(LOSS_MS), changes: new Recent(CHANGES_MS) }
  readonly #allowedUntilMs = { loss: 0, changes: 0 }
  /** Those that were lost last. */
  readonly #lost: ContentHash[] = []
  readonly #listeners: ((kind: BrakeKind) => void)[] = []
  /** Before they are in the index. */
  readonly #engaging = new Map<BrakeKind, Brake>()

  constructor(parts: BrakeParts) {
    this.#parts = parts
    parts.index.onNews((news) => {
      if (news.some(({ entry, from }) => entry.path === ALLOWED && from !== undefined)) {
        void this.#hearAllowed()
      }
      const changed = news.filter((one) => one.replaced || this.#hides(one))
      const nowMs = parts.clock.monotonicMs()
      for (const { entry, replaced } of changed) {
        this.#recent.changes.add(entry.path, replaced && entry.deleted, nowMs)
      }
      if (changed.length > 0) void this.#look('changes', parts.index.counts().images)
    })
  }

  /** Whether it blocks an image that is there. */
  #hides({ entry }: News): boolean {
    const hash = entry.deleted ? undefined : blockedBy(entry)
    const row = hash && this.#parts.index.blob(hash)
    return row !== undefined && row.live > 0 && row.state !== 'blocked'
  }

  /** Calls `listener` each time that a brake was released. */
  onRelease(listener: (kind: BrakeKind) => void): void {
    this.#listeners.push(listener)
  }

  engaged(kind: BrakeKind): Brake | undefined {
    return this.#engaging.get(kind) ?? (this.#parts.index.meta(NAMES[kind]) as Brake | undefined)
  }

  all(): readonly Brake[] {
    return [this.engaged('loss'), this.engaged('changes')].filter((one) => one !== undefined)
  }

  /** Throws BRAKE_ENGAGED while images may not be deleted, replaced or blocked. */
  requireChanges(): void {
    const brake = this.engaged('changes')
    if (brake !== undefined) throw refusal(brake)
    this.requireDisk()
  }

  /** Throws BRAKE_ENGAGED while the disk is not to be trusted. */
  requireDisk(): void {
    const brake = this.engaged('loss')
    if (brake !== undefined) throw refusal(brake)
  }

  /** A blob that was held is not there. False if it must not be called lost. */
  async lose(hash: ContentHash): Promise<boolean> {
    if (this.engaged('loss') !== undefined) return false
    const { blobs } = this.#parts.index.counts()
    this.#lost.push(hash)
    if (this.#lost.length > SAMPLES_MAX) this.#lost.shift()
    this.#recent.loss.add(hash, true, this.#parts.clock.monotonicMs())
    await this.#look('loss', blobs - 1) // this one is still counted
    return this.engaged('loss') === undefined
  }

  /** The engaged brake that has this token. */
  withToken(token: string): Brake | undefined {
    return this.all().find((one) => one.token === token)
  }

  /** A person has confirmed changes: the other servers need not ask again. */
  async tellAllowed(): Promise<void> {
    const { index, clock } = this.#parts
    const value = Buffer.from(JSON.stringify({ untilMs: clock.now() + ALLOWED_MS }))
    await index.change((tx) => tx.putRecord(ALLOWED, value))
  }

  /** Releases a brake; for so long it is not engaged again. */
  async release(kind: BrakeKind, allowedMs = ALLOWED_MS): Promise<void> {
    const { index, clock } = this.#parts
    this.#allowedUntilMs[kind] = clock.monotonicMs() + allowedMs
    this.#recent[kind].clear()
    // one that engages at this moment may not be written yet
    if (this.#engaging.delete(kind) || index.meta(NAMES[kind]) !== undefined) {
      await index.change((tx) => tx.setMeta(NAMES[kind], undefined))
    }
    for (const listener of this.#listeners) listener(kind)
  }

  /** What comes from now on may be too much again, though it was released a moment ago. */
  endAllowance(kind: BrakeKind): void {
    this.#allowedUntilMs[kind] = 0
    this.#recent[kind].clear()
  }

  async #hearAllowed(): Promise<void> {
    const { index, clock, log } = this.#parts
    const { untilMs } = readAllowed(index.record(ALLOWED))
    const leftMs = Math.min(untilMs - clock.now(), ALLOWED_MS)
    if (leftMs <= 0) return
    log.info('mass changes were confirmed on another server')
    await this.release('changes', leftMs).catch((error) =>
      log.error({ err: error }, 'the brake could not be released')
    )
  }

  /** `all`: how many there are now. */
  async #look(kind: BrakeKind, all: number): Promise<void> {
    const { clock } = this.#parts
    const recent = this.#recent[kind]
    if (clock.monotonicMs() < this.#allowedUntilMs[kind]) recent.clear()
    const before = all + recent.gone
    if (isTooMuch(recent.count, before) && this.engaged(kind) === undefined) {
      await this.#engage(kind, recent.count, before)
    }
  }

  async #engage(kind: BrakeKind, count: number, of: number): Promise<void> {
    const { index, clock, random, log } = this.#parts
    const sinceMs = clock.now()
    const fromMs = sinceMs - (kind === 'loss' ? LOSS_MS : CHANGES_MS)
    const token = randomHex(random, 8)
    const reason =
      kind === 'loss'
        ? `${count} of ${of} stored images were found gone from the disk within an hour`
        : `${count} of ${of} images were deleted, replaced or blocked within a minute`
    const samples = kind === 'loss' ? { samples: [...this.#lost] } : {}
    const brake: Brake = { kind, token, sinceMs, fromMs, count, of, reason, ...samples }
    this.#engaging.set(kind, brake)
    log.error({ kind, count, of }, `${reason}: stopped until that is confirmed`)
    try {
      await index.change((tx) => tx.setMeta(NAMES[kind], brake))
    } catch (error) {
      log.error({ err: error }, 'the brake is engaged, but a restart would not know of it')
    }
  }
}

function readAllowed(value: Uint8Array | undefined): { untilMs: number } {
  try {
    const { untilMs } = JSON.parse(Buffer.from(value ?? []).toString())
    return { untilMs: Number.isFinite(untilMs) ? untilMs : 0 }
  } catch {
    return { untilMs: 0 }
  }
}

/** In words, for the status: what happened, what is held up, what to do. */
export function sayBrake({ kind, reason, count, of }: Brake): Cause {
  const text =
    kind === 'loss'
      ? `${reason}. Is its disk mounted? Nothing more is called lost, and nothing is taken in, until GET /api/brakes is looked at and confirmed with POST /api/brakes.`
      : `${reason}. Nothing more is deleted, replaced or blocked here, and nothing leaves the trash, until GET /api/brakes is looked at: POST /api/brakes confirms it, or undoes it.`
  return causeOf(`brake_${kind}`, text, { count, of })
}

function refusal(brake: Brake): NodeError {
  const undo = brake.kind === 'changes' ? ', or undo it with "action": "undo"' : ''
  return new NodeError(
    'BRAKE_ENGAGED',
    `${brake.reason}, so this stopped. If that is meant, confirm it with POST /api/brakes ` +
      `{"token": "${brake.token}", "action": "confirm"}${undo}.`,
    { kind: brake.kind, token: brake.token }
  )
}
