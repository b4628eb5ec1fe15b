// What is too much to be meant stops until a person confirms it: a disk whose files are gone all at
// once, and images that are deleted, replaced or blocked in masses, by whomever.
//
//   loss     no blob is called lost any more, nothing is fetched in its place, and nothing is
//            claimed to be held here: the disk may be unmounted
//   changes  nobody deletes, replaces or blocks images here, and nothing leaves the trash
//
// An engaged brake is kept in the index, so that a restart does not release it.

import { KIND_RECORD } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { versionMs } from '../../protocols/version.ts'
import { type Cause, causeOf, saidAs } from '../base/cause.ts'
import { type Clock, type Random, randomHex } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { News } from '../index/transaction.ts'
import { blockedBy } from './block-record.ts'
import { BRAKE_COUNT_MIN, isTooMuch, Recent } from './plan-brakes.ts'
import {
  type Change,
  type ChangeGroup,
  type ChangeGroups,
  Confirmations,
  confirmationText,
  readConfirmation
} from './plan-confirmations.ts'

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
const RELEASES_MAX = 10

/** Records by which confirmations reach the other servers, each under its node's id. */
const CONFIRMED_PREFIX = 'brake/confirmed/'
/** What goes on after a confirmation is told before others would stop because of it. */
const TELL_CHANGES = BRAKE_COUNT_MIN / 4

const NAMES: Readonly<Record<BrakeKind, string>> = { loss: 'brake/loss', changes: 'brake/changes' }
const RELEASES = 'brakes-released'

/** How a brake was released. */
export interface Release extends Pick<Brake, 'kind' | 'token' | 'count' | 'of'> {
  /** back: what was gone is there again. */
  readonly how: 'confirm' | 'undo' | 'back'
  readonly atMs: number
  /** Peer id of the server on which a person did; undefined: here. */
  readonly by?: string | undefined
  /** Of the one that told it: not always the same. */
  readonly from?: string | undefined
}

/** After a person's word: changes of these writers go on, and others hear of each of them. */
interface Allowance {
  readonly token: string
  readonly untilMs: number
  readonly groups: ChangeGroups
  untold: number
}

export class Brakes {
  readonly #parts: BrakeParts
  readonly #recent = {
    loss: new Recent<undefined>(LOSS_MS),
    changes: new Recent<Change>(CHANGES_MS)
  }
  #lossAllowedUntilMs = 0
  #allowance: Allowance | undefined
  #telling: Promise<void> | undefined
  /** What persons have confirmed on other servers. */
  readonly confirmations = new Confirmations()
  #onConfirmed = () => {}
  /** Those that were lost last. */
  readonly #lost: ContentHash[] = []
  readonly #listeners: ((release: Release) => void)[] = []
  /** Before they are in the index. */
  readonly #engaging = new Map<BrakeKind, Brake>()

  constructor(parts: BrakeParts) {
    this.#parts = parts
    parts.index.onNews((news) => {
      for (const one of news) this.#hearConfirmed(one)
      this.#count(news.filter((one) => one.replaced || this.#hides(one)))
    })
  }

  /** Whether it blocks an image that is there. */
  #hides({ entry }: News): boolean {
    const hash = entry.deleted ? undefined : blockedBy(entry)
    const row = hash && this.#parts.index.blob(hash)
    return row !== undefined && row.live > 0 && row.state !== 'blocked'
  }

  /** Calls `listener` each time that a brake was released. */
  onRelease(listener: (release: Release) => void): void {
    this.#listeners.push(listener)
  }

  /** One listener hears that something was confirmed elsewhere while changes are stopped here. */
  onConfirmed(listener: () => void): void {
    this.#onConfirmed = listener
  }

  /** The last ones, the newest first. */
  releases(): readonly Release[] {
    return (this.#parts.index.meta(RELEASES) as Release[] | undefined) ?? []
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
    this.#recent.loss.add(hash, true, this.#parts.clock.monotonicMs(), undefined)
    await this.#look('loss', blobs - 1) // this one is still counted
    return this.engaged('loss') === undefined
  }

  /** The engaged brake that has this token. */
  withToken(token: string): Brake | undefined {
    return this.all().find((one) => one.token === token)
  }

  /** A person has looked at these changes: whoever made them may go on for a while. */
  async confirmChanges(token: string, groups: ChangeGroups): Promise<void> {
    const untilMs = this.#parts.clock.monotonicMs() + ALLOWED_MS
    this.#allowance = { token, untilMs, groups, untold: 0 }
    await this.#tell(token, groups.list())
    await this.release('changes', { how: 'confirm' })
  }

  /** What was stopped has been undone, by these changes: other servers hear of them. */
  async endUndo(token: string, groups: ChangeGroups): Promise<void> {
    await this.#tell(token, groups.list())
    await this.release('changes', { how: 'undo' })
  }

  /** What persons on other servers have confirmed is enough. */
  async releaseAsConfirmed(used: Confirmations): Promise<void> {
    const [giver] = this.confirmations.accept(used)
    await this.release('changes', { how: 'confirm', ...giver })
  }

  /** A person knows that the files are lost: they are called so for a while. */
  async confirmLoss(): Promise<void> {
    this.#lossAllowedUntilMs = this.#parts.clock.monotonicMs() + ALLOWED_MS
    await this.release('loss', { how: 'confirm' })
  }

  async release(kind: BrakeKind, about: Pick<Release, 'how' | 'by' | 'from'>): Promise<void> {
    const { index, clock, log } = this.#parts
    const brake = this.engaged(kind)
    this.#recent[kind].clear()
    if (brake === undefined) return
    const { token, count, of } = brake
    const release: Release = { kind, token, count, of, atMs: clock.now(), ...about }
    // one that engages at this moment may not be written yet
    this.#engaging.delete(kind)
    await index.change((tx) => {
      const before = (tx.meta(RELEASES) as Release[] | undefined) ?? []
      tx.setMeta(RELEASES, [release, ...before].slice(0, RELEASES_MAX))
      tx.setMeta(NAMES[kind], undefined)
    })
    log.info({ ...release }, 'a brake was released')
    for (const listener of this.#listeners) listener(release)
  }

  /** While changes are stopped there is nothing more to count. */
  #count(changed: readonly News[]): void {
    if (changed.length === 0 || this.engaged('changes') !== undefined) return
    const nowMs = this.#parts.clock.monotonicMs()
    for (const { entry, replaced, from } of changed) {
      const change = { writer: entry.writer, ms: versionMs(entry.version) }
      if (this.#isAllowed(change, from === undefined, nowMs)) continue
      if (this.confirmations.take(change, nowMs)) continue
      this.#recent.changes.add(entry.path, replaced && entry.deleted, nowMs, change)
    }
    void this.#look('changes', this.#parts.index.counts().images)
  }

  /** Whether a person here has said that it may go on. */
  #isAllowed(change: Change, isOwn: boolean, nowMs: number): boolean {
    const allowance = this.#allowance
    if (allowance === undefined || nowMs >= allowance.untilMs) return false
    const { groups, token } = allowance
    if (!isOwn && !groups.has(change.writer)) return false
    groups.add(change)
    allowance.untold++
    if (allowance.untold >= TELL_CHANGES && this.#telling === undefined) {
      allowance.untold = 0
      this.#telling = this.#tell(token, groups.list())
        .catch((error) => this.#parts.log.warn({ err: error }, 'other servers may stop'))
        .finally(() => {
          this.#telling = undefined
        })
    }
    return true
  }

  async #tell(token: string, groups: readonly ChangeGroup[]): Promise<void> {
    const text = confirmationText({ token, groups })
    await this.#parts.index.change((tx) => tx.putRecord(CONFIRMED_PREFIX + tx.writer, text))
  }

  #hearConfirmed({ entry, from }: News): void {
    if (from === undefined || entry.kind !== KIND_RECORD) return
    if (!entry.path.startsWith(CONFIRMED_PREFIX)) return
    const { clock } = this.#parts
    const confirmation = readConfirmation(entry.value, clock.now())
    if (confirmation === undefined) return
    const nowMs = clock.monotonicMs()
    const by = entry.path.slice(CONFIRMED_PREFIX.length)
    this.confirmations.hear(by, from, confirmation, nowMs)
    if (this.engaged('changes') !== undefined) this.#onConfirmed()
    else this.#recent.changes.forget((change) => this.confirmations.take(change, nowMs))
  }

  /** `all`: how many there are now. */
  async #look(kind: BrakeKind, all: number): Promise<void> {
    const { clock } = this.#parts
    const recent = this.#recent[kind]
    if (kind === 'loss' && clock.monotonicMs() < this.#lossAllowedUntilMs) recent.clear()
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
    // it may have been confirmed elsewhere already
    if (kind === 'changes') this.#onConfirmed()
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
    { kind: brake.kind, token: brake.token, ...saidAs(`stopped_${brake.kind}`) }
  )
}
