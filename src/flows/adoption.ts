// What crawlers write into images/ at any time becomes images, and what was taken from there comes
// back.
//
// A scan is the truth: it compares every view file, and every file that is none, with the index. It
// rests in proportion to what it cost. Bells only say where to look in between; what they miss, the
// next scan finds. A file that is being written is looked at again until it is quiet.

import { type ImagePath, parsePath } from '../../protocols/path.ts'
import { sleep } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import { forEachAtOnce } from '../base/for-each.ts'
import { type FileStamp, sameStamp } from '../store/blob-store.ts'
import { FILES_AT_ONCE } from './adopt.ts'
import { type AdoptOptions, type AdoptParts, adoptFile } from './adopt-file.ts'
import { changedViews } from './changed-views.ts'
import { showGone } from './show-again.ts'

/** See store/folder-bell.ts. */
export type OpenBell = (ring: (name: string | undefined) => void) => {
  watch(folder: string): void
  close(): void
}

export interface AdoptionParts extends AdoptParts {
  readonly openBell: OpenBell
  /** Whether the index is as up to date as it can soon be: what was deleted elsewhere is known. */
  readonly isCurrent: () => boolean
}

export interface AdoptionOptions extends AdoptOptions {
  /** The least rest between two scans. */
  readonly intervalMs: number
}

/** A name that is to be looked at. */
interface Pending {
  readonly dueMs: number
  /** Of a view file whose name is not its path. */
  readonly path?: ImagePath | undefined
  /** As it was, and since when. */
  readonly seen?: { readonly stamp: FileStamp | undefined; readonly sinceMs: number } | undefined
}

/** A name that needs more than a look. */
type Suspect = Pick<Pending, 'path' | 'seen'> & { readonly name: string }

/**
 * A scan takes at most a twentieth of the time, and a hundredth where the one before has found
 * nothing to do: what happens is heard by the bells then.
 */
const REST_PER_COST = 20
const REST_PER_QUIET_COST = 100
/** How soon a bell is followed: the events of one file come together. */
const BELL_MS = 50
const TICK_MS = 50
/**
 * Names that wait at one time, about 300 bytes each; those of bells that are more are left to a
 * scan that comes soon. A scan itself waits while half of them are there.
 */
const PENDING_MAX = 4000
/** Of these are looked at in one go. */
const DUE_MAX = 1000
/** The rest before a scan for names that were too many. */
const RESCAN_MS = 1000
/** In one scan. */
const REFUSED_LOGGED_MAX = 100
/** A view file is shown again when it has been gone for so long: somebody may be replacing it. */
const GONE_MS = 10_000
/** Between two view files that are shown again: where all are gone others need the node, too. */
const RESTORE_MS = 2

export class Adoption {
  readonly #parts: AdoptionParts
  readonly #options: AdoptionOptions
  readonly #abort = new AbortController()
  readonly #bell: ReturnType<OpenBell>
  readonly #pending = new Map<string, Pending>()
  readonly #busy = new Set<string>()
  #refusedLogged = 0
  #isMissed = false
  #isFirst = true
  /** Names since the last scan began that were not as they should be. */
  #amiss = 0
  #restored = 0
  #restoreTurnMs = 0
  #running: Promise<void> = Promise.resolve()
  #ticking: Promise<void> = Promise.resolve()
  #cancelTick: (() => void) | undefined

  constructor(parts: AdoptionParts, options: AdoptionOptions) {
    this.#parts = parts
    this.#options = options
    this.#bell = parts.openBell((name) => this.ring(name))
  }

  start(): void {
    this.#running = this.#run(this.#abort.signal).catch((error) => {
      if (!this.#abort.signal.aborted) this.#sayTrouble(error)
    })
  }

  async stop(): Promise<void> {
    this.#abort.abort(new NodeError('STOPPING', 'The node is stopping.'))
    this.#bell.close()
    this.#cancelTick?.()
    await Promise.all([this.#running, this.#ticking])
  }

  /** Something happened at this name; nobody knows where, or at too many places: a scan follows. */
  ring(name: string | undefined): void {
    if (name === undefined) this.#isMissed = true
    else if (!this.#pending.has(name) && !this.#parts.found.isIgnored(name)) {
      this.#await(name, { dueMs: this.#nowMs() + BELL_MS })
    }
  }

  /** Files that are being written, or come next. */
  get waitingFiles(): number {
    return this.#pending.size
  }

  #nowMs(): number {
    return this.#parts.flows.clock.monotonicMs()
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts.flows
    while (!this.#parts.isCurrent()) await sleep(clock, RESCAN_MS, signal)
    for (;;) {
      const costMs = await this.#scanOrSay(signal)
      const restPerCost = this.#amiss === 0 ? REST_PER_QUIET_COST : REST_PER_COST
      const restMs = Math.max(this.#options.intervalMs, restPerCost * costMs)
      const endMs = this.#nowMs() + restMs
      const soonMs = this.#nowMs() + Math.max(RESCAN_MS, costMs)
      for (;;) {
        const leftMs = endMs - this.#nowMs()
        if (leftMs <= 0 || (this.#isMissed && this.#nowMs() >= soonMs)) break
        await sleep(clock, Math.min(leftMs, RESCAN_MS), signal)
      }
    }
  }

  async #scanOrSay(signal: AbortSignal): Promise<number> {
    try {
      return this.#mayWork() ? await this.#scan(signal) : 0
    } catch (error) {
      signal.throwIfAborted()
      this.#sayTrouble(error)
      return 0
    }
  }

  #mayWork(): boolean {
    const { index, store, brakes } = this.#parts.flows
    return (
      index.fault === undefined && store.fault === undefined && brakes.engaged('loss') === undefined
    )
  }

  /** What waits is found again by the next scan. */
  #sayTrouble(error: unknown): void {
    this.#pending.clear()
    this.#isMissed = false
    this.#parts.flows.log.error({ err: error }, 'files in images/ could not be taken in; later')
  }

  /** How long it has looked, without what it has found to do. */
  async #scan(signal: AbortSignal): Promise<number> {
    const { flows, found } = this.#parts
    this.#isMissed = false
    this.#refusedLogged = 0
    this.#amiss = 0
    this.#restored = 0
    found.prepare()
    let costMs = 0
    const timed = this.#timed(this.#suspects(signal), (ms) => {
      costMs += ms
    })
    await forEachAtOnce(timed, FILES_AT_ONCE, async (suspect) => {
      while (this.#pending.size >= PENDING_MAX / 2) await sleep(flows.clock, TICK_MS, signal)
      await this.#visit(suspect)
    })
    this.#isFirst = false
    if (this.#restored > 0) {
      const text = 'files that were gone from images/ are shown again'
      flows.log.warn({ files: this.#restored }, text)
    }
    return costMs
  }

  async *#timed<T>(items: AsyncGenerator<T>, took: (ms: number) => void): AsyncGenerator<T> {
    try {
      for (;;) {
        const beginMs = this.#nowMs()
        const { value, done } = await items.next()
        took(this.#nowMs() - beginMs)
        if (done) return
        yield value
      }
    } finally {
      await items.return(undefined)
    }
  }

  /** View files that are not as they were, and files that are none. */
  async *#suspects(signal: AbortSignal): AsyncGenerator<Suspect> {
    const { found, flows } = this.#parts
    if (flows.view.isOn) {
      yield* changedViews(this.#parts, (name) => this.#pending.has(name), signal)
    }
    const onFolder = (name: string) => this.#bell.watch(name)
    for await (const name of found.scan({ signal, onFolder })) {
      if (this.#pending.has(name) || this.#viewOf(name) !== undefined) continue
      yield { name }
    }
  }

  /** The path whose view file this is. */
  #viewOf(name: string, known?: ImagePath): ImagePath | undefined {
    try {
      const path = known ?? parsePath(name)
      return this.#parts.flows.index.view(path)?.name === name ? path : undefined
    } catch {
      return undefined // no path
    }
  }

  #await(name: string, pending: Pending): void {
    if (this.#pending.size >= PENDING_MAX) {
      this.#isMissed = true
      return
    }
    this.#pending.set(name, pending)
    this.#arm()
  }

  #arm(ms = TICK_MS): void {
    if (this.#cancelTick !== undefined || this.#pending.size === 0) return
    if (this.#abort.signal.aborted) return
    this.#cancelTick = this.#parts.flows.clock.after(ms, () => {
      const due = this.#parts.isCurrent() ? this.#takeDue() : []
      this.#ticking = this.#visitAll(due).finally(() => {
        this.#cancelTick = undefined
        this.#arm(due.length < DUE_MAX ? TICK_MS : 0)
      })
    })
  }

  async #visitAll(due: readonly [string, Pending][]): Promise<void> {
    try {
      if (!this.#mayWork()) this.#isMissed = true
      else await forEachAtOnce(due, FILES_AT_ONCE, ([name, one]) => this.#visit({ name, ...one }))
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#sayTrouble(error)
    }
  }

  #takeDue(): [string, Pending][] {
    const nowMs = this.#nowMs()
    const due: [string, Pending][] = []
    for (const one of this.#pending) {
      if (one[1].dueMs > nowMs) continue
      if (due.push(one) === DUE_MAX) break
    }
    for (const [name] of due) this.#pending.delete(name)
    return due
  }

  async #visit(suspect: Suspect): Promise<void> {
    const { name } = suspect
    this.#abort.signal.throwIfAborted()
    if (this.#busy.has(name)) return
    this.#busy.add(name)
    try {
      const stamp = await this.#parts.found.look(name)
      if (stamp === 'folder') await this.#lookInto(name)
      else if (stamp === undefined) await this.#miss(suspect)
      else await this.#meet(suspect, stamp)
    } finally {
      this.#busy.delete(name)
    }
  }

  async #meet({ name, path, seen }: Suspect, stamp: FileStamp): Promise<void> {
    const { left } = this.#parts
    if (left.has(name, stamp)) return
    this.#amiss++
    const nowMs = this.#nowMs()
    const isSame = seen?.stamp !== undefined && sameStamp(seen.stamp, stamp)
    const sinceMs = isSame ? seen.sinceMs : nowMs
    const before = isSame ? { stamp, ageMs: nowMs - sinceMs } : undefined
    const outcome = await adoptFile(this.#parts, this.#options, { name, path, stamp, before })
    if (outcome.is === 'waiting') {
      this.#await(name, { path, dueMs: nowMs + outcome.ms, seen: { stamp, sinceMs } })
      return
    }
    left.delete(name)
    if (outcome.is === 'refused') {
      left.add(name, stamp)
      if (++this.#refusedLogged > REFUSED_LOGGED_MAX) return
      const text = 'not taken in from images/'
      this.#parts.flows.log.warn({ path: name, reason: outcome.why }, text)
    } else if (outcome.is === 'known' && this.#viewOf(name, path) === undefined) {
      left.add(name, stamp)
    }
  }

  /** A folder that has just come may have been filled before it was watched. */
  async #lookInto(folder: string): Promise<void> {
    const { signal } = this.#abort
    const onFolder = (name: string) => this.#bell.watch(name)
    for await (const name of this.#parts.found.scan({ at: folder, signal, onFolder })) {
      this.ring(name)
    }
  }

  /** One after the other, at a pace that leaves most of a core to others. */
  async #restoreTurn(): Promise<void> {
    const nowMs = this.#nowMs()
    const turnMs = Math.max(nowMs, this.#restoreTurnMs)
    this.#restoreTurnMs = turnMs + RESTORE_MS
    if (turnMs > nowMs) await sleep(this.#parts.flows.clock, turnMs - nowMs, this.#abort.signal)
  }

  /** Nothing is there. */
  async #miss({ name, path: known, seen }: Suspect): Promise<void> {
    const { index, view } = this.#parts.flows
    this.#amiss++
    this.#bell.watch(name) // it may have been a folder
    this.#parts.left.delete(name)
    const path = this.#viewOf(name, known)
    if (path === undefined || !view.isOn || index.intent('view', path) !== undefined) return
    const nowMs = this.#nowMs()
    const sinceMs = seen !== undefined && seen.stamp === undefined ? seen.sinceMs : nowMs
    const leftMs = sinceMs + GONE_MS - nowMs
    if (leftMs > 0 && !this.#isFirst && this.#pending.size < PENDING_MAX) {
      this.#await(name, { path, dueMs: nowMs + leftMs, seen: { stamp: undefined, sinceMs } })
      return
    }
    await this.#restoreTurn()
    this.#parts.found.prepare()
    await showGone(this.#parts.flows, path)
    this.#restored++
  }
}
