// Makes the disk agree with the index: the view of a path, the place of a blob.
//
// A change of the index leaves intents; settling one looks at what the index says now and does what
// is missing, so it can be repeated and interrupted anywhere. Start-up settles what an earlier run
// left open: its cost is what was in flight, not what exists.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { FailPoints } from '../base/fail-point.ts'
import type { Log } from '../base/log.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { Intent } from '../index/intent.ts'
import type { BlobRow, ViewRow } from '../index/rows.ts'
import type { Transaction } from '../index/transaction.ts'
import { type BlobStore, type FileStamp, sameContentStamp } from '../store/blob-store.ts'
import type { ImageView } from '../store/image-view.ts'
import { Arrivals } from './arrivals.ts'
import type { Locks } from './parts.ts'
import { isLate } from './plan-adopt.ts'
import { lose, restamp } from './rows-of-moves.ts'
import { type ShownView, ShownViews } from './shown-views.ts'
import { Unsettled } from './unsettled.ts'

export interface SettlerParts {
  readonly index: ImageIndex
  readonly store: BlobStore
  readonly view: ImageView
  readonly locks: Locks
  readonly clock: Clock
  readonly log: Log
  readonly failPoints: FailPoints
  /** Hears when the bytes of a blob are removed for good. */
  readonly onRemoved?: ((hash: ContentHash) => void) | undefined
}

export interface SettleOptions {
  /** What is open was left so by the last run. */
  readonly afterCrash?: boolean
  readonly signal?: AbortSignal
}

/** Names of one blob that are handled together. */
export const PATHS_MAX = 100_000

/** What is written of a blob once its file is in its place, or found to be nowhere. */
type Moved = (tx: Transaction, hash: ContentHash) => void | Promise<void>

export class Settler {
  /** Stamps of blobs that have no row of their own yet. */
  readonly arrivals = new Arrivals()
  /** What the view shows, where that is newer than its rows. */
  readonly views = new ShownViews()
  readonly #parts: SettlerParts
  /** Stamps that are newer than the blob rows, until these are written. */
  readonly #stamps = new Map<ContentHash, FileStamp>()
  /** Of the views: one may be newer than its row. */
  readonly unsettled: Unsettled<ImagePath>
  readonly #unmoved: Unsettled<ContentHash>
  readonly #background = new Set<Promise<void>>()
  #shown: ShownView[] = []
  #closing: Promise<void> | undefined

  constructor(parts: SettlerParts) {
    this.#parts = parts
    this.unsettled = new Unsettled((path, err) =>
      parts.log.error({ path, err }, 'images/ could not be updated; tried again later')
    )
    this.#unmoved = new Unsettled((hash, err) =>
      parts.log.error({ hash, err }, 'could not move a blob; tried again later')
    )
  }

  /** The stamp of a blob that a link or rename of our own has just changed. */
  freshStamp(hash: ContentHash): FileStamp | undefined {
    return this.#stamps.get(hash)
  }

  /**
   * Makes the view of a path agree with the index. Resolves when it is visible; it becomes durable
   * soon after. A view that can't be made is logged and stays an open intent: the image itself is
   * safe without it.
   */
  async settleView(path: ImagePath): Promise<void> {
    await this.#parts.locks.path.run(path, async () => {
      const intent = this.#parts.index.intent('view', path)
      if (intent === undefined) return this.unsettled.done(path)
      try {
        const shown = await this.#show(path, intent, await this.#comeBack(path))
        this.views.add(shown)
        this.unsettled.done(path)
        this.#shown.push(shown)
        this.#closing ??= this.#closeIntents()
      } catch (error) {
        this.unsettled.failed(path, error)
      }
    })
  }

  /** Makes the place of a blob agree with the index: blobs/, trash/ or nowhere. */
  async settleBlob(hash: ContentHash): Promise<void> {
    await this.#parts.locks.blob.run(hash, async () => {
      const { index, failPoints } = this.#parts
      const intent = index.intent('blob', hash)
      if (intent === undefined) return
      const moved = await this.#moveBlob(hash)
      failPoints.reach('settle:blob-moved')
      await index.change(
        async (tx) => {
          await moved(tx, hash)
          tx.endIntent('blob', hash, intent.generation)
        },
        { durable: false }
      )
      failPoints.reach('settle:ended')
      if (moved === lose) this.#later(hash, () => this.settleViews(hash))
    })
  }

  /**
   * Brings a blob out of the trash before anything names it again, so that bytes that are lost are
   * found out first. For whoever holds the lock of the blob. It goes back by its intent if then
   * nothing names it after all; whoever called it settles it.
   */
  async recall(hash: ContentHash): Promise<void> {
    const { index } = this.#parts
    const row = index.blob(hash)
    if (row?.state !== 'trashed') return
    await index.change((tx) => tx.addIntent('blob', hash))
    const stamp = await this.#bringBack(hash, row)
    await index.change(
      (tx) => (stamp === undefined ? lose(tx, hash) : tx.setBlob(hash, { state: 'held', stamp })),
      { durable: false }
    )
  }

  /**
   * Settles a blob in the background: its bytes are out of sight already, only their place is left
   * to change.
   */
  settleBlobLater(hash: ContentHash): void {
    this.#later(hash, () => this.settleBlob(hash))
  }

  /** Settles a blob and the view of all its paths in the background. */
  settleEverywhereLater(hash: ContentHash): void {
    this.#later(hash, async () => {
      await this.settleBlob(hash)
      await this.settleViews(hash)
    })
  }

  #later(hash: ContentHash, task: () => Promise<void>): void {
    const settling = this.#attempt(hash, task).finally(() => this.#background.delete(settling))
    this.#background.add(settling)
  }

  async #attempt(hash: ContentHash, task: () => Promise<void>): Promise<void> {
    try {
      await task()
      this.#unmoved.done(hash)
    } catch (error) {
      this.#unmoved.failed(hash, error)
    }
  }

  /** Brings the views of a blob up to date, whose intents came with the change of the blob. */
  async settleViews(hash: ContentHash): Promise<void> {
    const paths = await this.#parts.index.pathsOf(hash, PATHS_MAX)
    for (const path of paths) await this.settleView(path)
  }

  /** Tries everything that is open, until told to stop; how many steps that were. */
  async settleAll({ afterCrash = false, signal }: SettleOptions = {}): Promise<number> {
    let steps = 0
    for await (const { step, subject } of this.#parts.index.intents()) {
      if (signal?.aborted) break
      if (step === 'view') {
        if (afterCrash) this.unsettled.brokenOff(subject as ImagePath)
        await this.settleView(subject as ImagePath)
      } else
        await this.#attempt(subject as ContentHash, () => this.settleBlob(subject as ContentHash))
      steps++
    }
    return steps
  }

  /** Resolves when nothing is under way: what was shown is durable and its intents are closed. */
  async idle(): Promise<void> {
    while (this.#closing !== undefined || this.#background.size > 0) {
      await Promise.all([this.#closing, ...this.#background])
    }
  }

  /**
   * The blob that the path names now. One whose way out of the trash is still open is shown by
   * nobody else once it is here.
   */
  async #comeBack(path: ImagePath): Promise<ContentHash | undefined> {
    const { index } = this.#parts
    const hash = index.image(path)?.hash
    if (hash === undefined || index.blob(hash)?.state !== 'trashed') return hash
    await this.settleBlob(hash)
    return index.image(path)?.hash
  }

  async #show(path: ImagePath, intent: Intent, hash: ContentHash | undefined): Promise<ShownView> {
    const { index, view, failPoints, store } = this.#parts
    const shown = this.views.get(path)
    const before = shown === undefined ? index.view(path) : shown.row
    const isBlocked = hash !== undefined && index.blob(hash)?.state === 'blocked'
    if (!isBlocked && before !== undefined && before.hash === hash && this.#isWriters(before)) {
      return { path, intent, row: before, names: [], stamps: new Map() }
    }
    const concerned = [...new Set([hash, before?.hash as ContentHash | undefined])]
    const blobs = concerned.filter((one) => one !== undefined).sort()
    failPoints.reach('settle:started')
    return this.#withBlobs(blobs, async () => {
      const held = hash !== undefined && index.blob(hash)?.state === 'held'
      const file = held ? await view.show(path, hash, before) : undefined
      if (file !== undefined) failPoints.reach('settle:view-linked')
      else if (held && store.placeOf(hash) !== 'blobs') {
        throw new NodeError('NOT_AVAILABLE', 'The file of the blob is gone.', { path, hash })
      }
      const name = before?.name ?? path
      if (before !== undefined && name !== file?.name) await view.hide(before)
      if (this.unsettled.has(path) && name !== file?.name) await view.sweep(name)
      if (file === undefined) failPoints.reach('settle:view-unlinked')
      const stamps = new Map<ContentHash, FileStamp>()
      for (const blob of blobs) {
        const stamp = store.stamp(blob)
        const trusted = index.blob(blob)?.stamp
        if (stamp === undefined || !trusted || !sameContentStamp(stamp, trusted)) continue
        stamps.set(blob, stamp)
        this.#stamps.set(blob, stamp)
      }
      const row = file && hash && { ...file, hash }
      const names = [before?.name, file?.name].filter((name) => name !== undefined)
      return { path, intent, row, names, stamps }
    })
  }

  /** It is left to its writer for a while. */
  #isWriters({ writer }: ViewRow): boolean {
    const { view, clock } = this.#parts
    return writer !== undefined && view.isOn && isLate(writer.takenMs, clock.now())
  }

  #withBlobs<T>(hashes: readonly ContentHash[], task: () => Promise<T>): Promise<T> {
    const [first, ...others] = hashes
    if (first === undefined) return task()
    return this.#parts.locks.blob.run(first, () => this.#withBlobs(others, task))
  }

  /** Closes intents in groups: while one group becomes durable, the next gathers. */
  async #closeIntents(): Promise<void> {
    const { index, view, log, failPoints } = this.#parts
    await Promise.resolve()
    while (this.#shown.length > 0) {
      const group = this.#shown
      this.#shown = []
      try {
        const names = new Set(group.flatMap((shown) => shown.names))
        if (names.size > 0) await view.durable([...names])
        await index.change((tx) => this.#record(tx, group), { durable: false })
        for (const shown of group) this.#forget(shown)
        failPoints.reach('settle:ended')
      } catch (error) {
        log.error({ err: error }, 'the view could not be made durable; a restart tries again')
      }
    }
    this.#closing = undefined
  }

  #record(tx: Transaction, group: readonly ShownView[]): void {
    for (const { path, intent, row, stamps } of group) {
      tx.setView(path, row)
      tx.endIntent('view', path, intent.generation)
      for (const hash of stamps.keys()) restamp(tx, hash, this.#parts.store.stamp(hash))
    }
  }

  /** The rows say it now, unless something newer is under way. */
  #forget(shown: ShownView): void {
    this.views.forget(shown)
    for (const [hash, stamp] of shown.stamps) {
      if (this.#stamps.get(hash) === stamp) this.#stamps.delete(hash)
    }
  }

  /** Puts the file where it belongs; what is then to be written. */
  async #moveBlob(hash: ContentHash): Promise<Moved> {
    const { index, store, onRemoved } = this.#parts
    const row = index.blob(hash)
    if (row === undefined) return () => {}
    if (row.live === 0 && row.past === 0) {
      await store.remove(hash)
      onRemoved?.(hash)
      return (tx) => tx.forgetBlob(hash)
    }
    if (row.state === 'blocked') return this.#setAside(hash, row)
    if (row.state !== 'held' && row.state !== 'trashed') {
      // bytes that came, and whose row could not be written: nobody was told of them
      if (row.live === 0) await store.remove(hash)
      return () => {}
    }
    if (row.live === 0) {
      const stamp = await store.moveTo(hash, 'trash')
      if (stamp === undefined) return lose
      // An untrusted file keeps its old stamp, and is read again before it is ever held.
      const trusted = row.stamp && sameContentStamp(row.stamp, stamp) ? { stamp } : {}
      return (tx) => tx.setBlob(hash, { state: 'trashed', ...trusted })
    }
    const stamp = await this.#bringBack(hash, row)
    return stamp === undefined ? lose : (tx) => tx.setBlob(hash, { state: 'held', stamp })
  }

  /** Blocked bytes lie in trash/ as long as something names them. */
  async #setAside(hash: ContentHash, row: BlobRow): Promise<Moved> {
    const stamp = await this.#parts.store.moveTo(hash, 'trash')
    if (stamp === undefined || !row.stamp || !sameContentStamp(row.stamp, stamp)) return () => {}
    return (tx) => tx.setBlob(hash, { state: 'blocked', stamp })
  }

  /**
   * Puts the file into blobs/; undefined if it is not there or its bytes are not those of the hash.
   */
  async #bringBack(hash: ContentHash, row: BlobRow): Promise<FileStamp | undefined> {
    const { store } = this.#parts
    const stamp = await store.moveTo(hash, 'blobs')
    if (stamp === undefined || (row.stamp && sameContentStamp(row.stamp, stamp))) return stamp
    const read = await store.rehash(hash)
    if (read?.hash === hash) return read.stamp
    await store.quarantine(hash)
    return undefined
  }
}
