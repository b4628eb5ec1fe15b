// The index of this node: the current entry of every path, and what is known of every blob.
//
// Reads are synchronous or paged and see what is durable. Changes pass the one queue
// (change-queue.ts).

import type { ComparedEntries } from '../../protocols/entries/source.ts'
import {
  decodeEntry,
  type Entry,
  type ImageEntry,
  isImage,
  KIND_IMAGE,
  KIND_RECORD
} from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { ROOT_KEY, type TreeNode } from '../../protocols/time-tree-shape.ts'
import type { NodeError } from '../base/errors.ts'
import { type Change, ChangeQueue } from './change-queue.ts'
import type { DatabaseRows } from './database-rows.ts'
import { ForgetfulTree } from './forgetful-tree.ts'
import type { Intent } from './intent.ts'
import { makeLateLookUps } from './late-look-ups.ts'
import type { Step } from './ledger.ts'
import { pages } from './pages.ts'
import type { Watermarks } from './plan-watermarks.ts'
import type { BlobRange, IndexOptions, IndexParts, ListRange } from './ports.ts'
import { readByVersion, type VersionRange } from './read-by-version.ts'
import { readEntry } from './read-entry.ts'
import { hashesOf, pathsFrom, pathsOf, pathsOfKeys, pathsWithId } from './read-look-ups.ts'
import { type PlacedVersion, readPastBetween, readPastOf } from './read-past.ts'
import { readReviewed, readReviewedAt, readReviewedPaths } from './read-review.ts'
import { readWants, type WantRange } from './read-wants.ts'
import {
  type BlobRow,
  type Counts,
  type IntentRow,
  NO_COUNTS,
  type PastVersion,
  pathsInRow,
  type RecordRow,
  type ReviewedImage,
  type ViewRow
} from './rows.ts'
import { SelfCheck } from './self-check.ts'
import { NO_WATERMARKS } from './shared-past.ts'
import { endOf, entryKey, msKey, type Tables } from './tables.ts'
import type { News } from './transaction.ts'
import { TreeReader } from './tree-reader.ts'

export class ImageIndex {
  readonly #parts: IndexParts
  readonly #tables: Tables
  readonly #rows: DatabaseRows
  readonly #queue: ChangeQueue
  #entryWrites = 0
  /** What other nodes ask for. */
  readonly tree: TreeReader
  readonly selfCheck: SelfCheck
  /** After a fault. */
  readonly upkeep: Pick<
    ChangeQueue,
    'onDamage' | 'reopen' | 'reopening' | 'openings' | 'noteFailure' | 'mend' | 'endDamage'
  >

  constructor(parts: IndexParts, tables: Tables, rows: DatabaseRows, { writer }: IndexOptions) {
    this.#parts = parts
    this.#tables = tables
    this.#rows = rows
    const snapshot = () => parts.database.snapshot()
    this.tree = new TreeReader(tables, snapshot)
    this.#queue = new ChangeQueue({ ...parts, tables, rows }, writer)
    this.upkeep = this.#queue
    const change: ImageIndex['change'] = (plan, options) => {
      rows.doubt() // what is checked is what the database has
      return this.change(plan, options)
    }
    this.selfCheck = new SelfCheck({ tables, snapshot, change })
  }

  /** The current entry of a path, a tombstone included. */
  get(path: ImagePath): Entry | undefined {
    return this.#entry(entryKey(KIND_IMAGE, path))
  }

  /** The live image of a path. */
  image(path: ImagePath): ImageEntry | undefined {
    const entry = this.get(path)
    return isImage(entry) ? entry : undefined
  }

  /** The value of a record that is not deleted. */
  record(name: string): Uint8Array | undefined {
    return this.#entry(entryKey(KIND_RECORD, name))?.value
  }

  /** Whether there is a record of this name, or was, as far as deletions are remembered. */
  isRecordKnown(name: string): boolean {
    return this.#rows.get('entry', entryKey(KIND_RECORD, name)) !== undefined
  }

  /** Records whose names start with `prefix`, in the order of their names. */
  async *records(prefix: string): AsyncGenerator<RecordRow> {
    for await (const { path: name, value, writer, version } of this.#recordEntries(prefix)) {
      if (value !== undefined) yield { name, value, writer, version }
    }
  }

  /** Records that were deleted, whose names start with `prefix`, with the version of that. */
  async *deletedRecords(prefix: string): AsyncGenerator<Pick<RecordRow, 'name' | 'version'>> {
    for await (const { path: name, deleted, version } of this.#recordEntries(prefix)) {
      if (deleted) yield { name, version }
    }
  }

  async *#recordEntries(prefix: string): AsyncGenerator<Entry> {
    const first = entryKey(KIND_RECORD, prefix)
    for await (const raw of pages(this.#tables.entry.values({ gte: first, lt: endOf(first) }))) {
      const entry = readEntry(raw)
      if (entry !== undefined) yield entry
    }
  }

  blob(hash: ContentHash): BlobRow | undefined {
    return this.#rows.get('blob', hash) as BlobRow | undefined
  }

  view(path: ImagePath): ViewRow | undefined {
    return this.#rows.get('view', path) as ViewRow | undefined
  }

  /** Every path that has a file in images/, with its row, in the order of paths. */
  views(): AsyncGenerator<[ImagePath, ViewRow]> {
    return pages(this.#tables.view.iterator({})) as AsyncGenerator<[ImagePath, ViewRow]>
  }

  intent(step: Step, subject: string): Intent | undefined {
    const row = this.#rows.get('intent', `${step}/${subject}`) as IntentRow | undefined
    return row && { step, subject, generation: row.generation }
  }

  counts(): Counts {
    return { ...NO_COUNTS, ...(this.#tables.meta.getSync('counts') as Counts | undefined) }
  }

  /** Up to where each other member has what is here (rule 5). */
  watermarks(): Watermarks {
    return (this.meta('watermarks') as Watermarks | undefined) ?? NO_WATERMARKS
  }

  /** Tombstones of images in buckets below this one may have been collected here (rule 6). */
  horizon(): number {
    return (this.meta('horizon') as number | undefined) ?? 0
  }

  /** The id of the database: a new one when the index was lost. */
  databaseId(): string {
    return String(this.meta('database'))
  }

  /** What is compared with another node, without the tombstones of images below a bucket. */
  beyond(horizon: number): ComparedEntries {
    return horizon === 0 ? this.tree : new ForgetfulTree(this.tree, horizon)
  }

  /** Images that were put to review, in the order of their paths (rule 7). */
  reviewed(after?: ImagePath): AsyncGenerator<ReviewedImage> {
    return readReviewed(this.#tables, after)
  }

  /** Their paths, also where the disk has changed what was there. */
  reviewedPaths(): AsyncGenerator<ImagePath> {
    return readReviewedPaths(this.#tables)
  }

  reviewedAt(path: ImagePath): ReviewedImage | undefined {
    return readReviewedAt(this.#tables, path)
  }

  meta(name: string): unknown {
    return this.#tables.meta.getSync(name)
  }

  /** Sums over all entries, whatever their number. */
  root(): TreeNode {
    return this.tree.node(ROOT_KEY)
  }

  /**
   * Changes the index. `plan` may run long after this call, sees all earlier changes, and waits for
   * nothing but the transaction. Resolves when the change is on disk (rule 9); errors as
   * ChangeQueue.run. `durable: false` is for what a restart would do again anyway.
   */
  change<T>(plan: Change<T>, { durable = true } = {}): Promise<T> {
    return this.#queue.run(plan, durable)
  }

  /** Calls `listener` with entries that have become current, once they are durable. */
  onNews(listener: (news: readonly News[]) => void): void {
    const before = this.#queue.onNews
    this.#queue.onNews = (news) => {
      before(news)
      listener(news)
    }
  }

  /**
   * One listener hears of paths whose images are others from now on, before anybody is told of the
   * change; undefined: it may be any path.
   */
  onEntries(listener: (paths: Iterable<string> | undefined) => void): void {
    this.#queue.onEntries = (keys) => {
      this.#entryWrites++
      listener(keys && pathsOfKeys(keys))
    }
  }

  /** Another number once the listener of `onEntries` was called. */
  get entryWrites(): number {
    return this.#entryWrites
  }

  /** Calls `listener` when blobs are found to be lacking that were here. */
  onLost(listener: () => void): void {
    this.#queue.onLost = listener
  }

  /** Another one after each change: what was read at one revision is still so. */
  get revision(): number {
    return this.#queue.revision
  }

  /** The failure after which nothing is acknowledged any more. */
  get fault(): NodeError | undefined {
    return this.#queue.fault
  }

  /** Live paths of a blob, in order, those after a path if one is given. */
  async pathsOf(hash: ContentHash, limit: number, after?: string): Promise<ImagePath[]> {
    // nearly always, for two reads less
    const named = after === undefined ? pathsInRow(this.blob(hash)) : undefined
    return named ?? pathsOf({ ...this.#parts, tables: this.#tables }, hash, { limit, after })
  }

  /** Blobs with this MD5 that an entry, live or past, names. */
  hashesOf(md5: Md5, limit: number): Promise<ContentHash[]> {
    return hashesOf({ ...this.#parts, tables: this.#tables }, md5, limit)
  }

  /** Live paths that came from this URL, as above. */
  pathsFrom(sourceUrl: string, limit: number, after?: string): Promise<ImagePath[]> {
    return pathsFrom(this.#tables, sourceUrl, { limit, after })
  }

  /** Live paths with this numeric id: more than one is possible, and then the id is ambiguous. */
  pathsWithId(id: number, limit: number): Promise<ImagePath[]> {
    return pathsWithId({ ...this.#parts, tables: this.#tables }, id, limit)
  }

  /** Makes look-ups that were left for later, of one change; false if there are none. */
  makeLookUps(): Promise<boolean> {
    return this.change((tx) => makeLateLookUps(tx.ledger.rows), { durable: false })
  }

  /** Past versions of a path on this node, newest first. */
  pastOf(path: ImagePath, limit = -1): AsyncGenerator<PastVersion> {
    return readPastOf(this.#tables, path, limit)
  }

  /** The newest of them. */
  past(path: ImagePath, limit: number): Promise<PastVersion[]> {
    return Array.fromAsync(this.pastOf(path, limit))
  }

  /** Past versions, those that ceased to be current longest ago first, up to a local time. */
  async *pastBefore(ms: number): AsyncGenerator<PastVersion> {
    for await (const { version } of readPastBetween(this.#tables, { lt: msKey(ms) })) yield version
  }

  /** The same from a local time on, and after a place in this order. */
  pastSince(ms: number, after = ''): AsyncGenerator<PlacedVersion> {
    const first = msKey(ms)
    return readPastBetween(this.#tables, after > first ? { gt: after } : { gte: first })
  }

  /** Past versions, those that ceased to be current last first, after a place in this order. */
  pastNewestFirst(after?: string): AsyncGenerator<PlacedVersion> {
    const range = after === undefined ? {} : { lt: after }
    return readPastBetween(this.#tables, { ...range, reverse: true })
  }

  /** Live images in the order of their paths. */
  async *list(range: ListRange = {}): AsyncGenerator<ImageEntry> {
    for await (const entry of this.listAll(range)) if (isImage(entry)) yield entry
  }

  /** The same with tombstones: whoever looks at only so many entries must count them. */
  async *listAll({ prefix = '', after }: ListRange = {}): AsyncGenerator<Entry> {
    const first = entryKey(KIND_IMAGE, prefix)
    const start = after !== undefined && after >= prefix ? entryKey(KIND_IMAGE, after) : undefined
    const range = { ...(start === undefined ? { gte: first } : { gt: start }), lt: endOf(first) }
    for await (const bytes of pages(this.#tables.entry.values(range))) {
      const entry = readEntry(bytes)
      if (entry !== undefined) yield entry
    }
  }

  /** All entries by version: newest first before `before`, or oldest first from `since` on. */
  listByVersion(range: VersionRange): AsyncGenerator<Entry> {
    return readByVersion(this.#tables, range)
  }

  /** Hashes of blobs that live images name and that are not here, oldest want first. */
  wants(range?: WantRange): AsyncGenerator<ContentHash> {
    return readWants(this.#tables, range)
  }

  /** Hashes and rows of blobs that an entry names, in the order of their hashes. */
  async *blobs({ after = '', before }: BlobRange = {}): AsyncGenerator<[ContentHash, BlobRow]> {
    const range = { gt: after, ...(before !== undefined && { lt: before }) }
    for await (const key of pages(this.#tables.blob.keys(range))) {
      const row = this.blob(key as ContentHash)
      if (row !== undefined) yield [key as ContentHash, row]
    }
  }

  /** Steps that must still follow on disk. */
  async *intents(): AsyncGenerator<Intent> {
    for await (const key of pages(this.#tables.intent.keys({}))) {
      const slash = key.indexOf('/')
      const intent = this.intent(key.slice(0, slash) as Step, key.slice(slash + 1))
      if (intent !== undefined) yield intent
    }
  }

  /** Waits for changes under way and closes the database. */
  async close(): Promise<void> {
    await this.#queue.idle()
    await this.#parts.database.close()
  }

  #entry(key: string): Entry | undefined {
    const raw = this.#rows.get('entry', key) as Uint8Array | undefined
    return raw === undefined ? undefined : decodeEntry(raw)
  }
}
