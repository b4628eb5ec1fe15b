// What follows from an entry: look-ups, tree sums, references to blobs, wants, counts. It follows
// here and nowhere else, so that no caller can forget a part of it.

import {
  type Entry,
  type ImageEntry,
  isImage,
  isTombstone,
  KIND_IMAGE,
  wins
} from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { bucketStartMs } from '../../protocols/time-tree-shape.ts'
import { type Version, versionAt, versionKey } from '../../protocols/version.ts'
import { invariant } from '../base/errors.ts'
import { LateLookUps } from './late-look-ups.ts'
import type { Layer } from './layer.ts'
import { promptLookUpsOf } from './look-ups.ts'
import { encodePast } from './past.ts'
import { readEntry, readEntryKey, readPast } from './read-entry.ts'
import {
  addShare,
  type BlobRow,
  type Counts,
  countsOfBlob,
  countsOfEntry,
  type IntentRow,
  isWanted,
  NO_COUNTS,
  type PastVersion,
  type ReviewRow,
  type Writable
} from './rows.ts'
import { endOf, entryKey, keys, type TableName } from './tables.ts'
import { TreeWriter } from './tree-writer.ts'
import type { VersionRow } from './version-encoding.ts'

/** A step on disk that follows from a change: the view of a path, the place of a blob. */
export type Step = 'view' | 'blob'

/** Entries that one change looks at. */
const PAGE_ENTRIES = 256

export interface LedgerParts {
  readonly layer: Layer
  readonly nowMs: number
  /** Larger than any generation ever given out. */
  readonly generation: number
}

export class Ledger {
  readonly #layer: Layer
  readonly #nowMs: number
  readonly #generation: number
  readonly #tree: TreeWriter
  readonly #late: LateLookUps
  #wantsAdded = 0
  #hasSteps = false
  #counts: Writable<Counts> | undefined

  constructor({ layer, nowMs, generation }: LedgerParts) {
    this.#layer = layer
    this.#tree = new TreeWriter(layer)
    this.#late = new LateLookUps(layer, generation)
    this.#nowMs = nowMs
    this.#generation = generation
  }

  /** All tables as they are within this change. */
  get rows(): Layer {
    return this.#layer
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** How many more wants there are than before. */
  get wantsAdded(): number {
    return this.#wantsAdded
  }

  /** Whether a step on disk follows from this change. */
  get hasSteps(): boolean {
    return this.#hasSteps
  }

  blob(hash: ContentHash): BlobRow | undefined {
    return this.#layer.get('blob', hash) as BlobRow | undefined
  }

  addIntent(step: Step, subject: string): void {
    this.#hasSteps = true
    const row: IntentRow = { generation: this.#generation }
    this.#layer.put('intent', `${step}/${subject}`, row)
  }

  /** Writes what is written for the whole change. To be called at its end. */
  end(): void {
    this.#late.end()
  }

  /** Rule 2: the winner of a path becomes current; what it replaces becomes past. */
  merge(entry: Entry, current: Entry | undefined): void {
    invariant(current === undefined || wins(entry, current), 'an own write wins over what it saw')
    const key = entryKey(entry.kind, entry.path)
    if (current !== undefined) this.#takeOut(key, current)
    if (entry.kind === KIND_IMAGE) this.endReview(entry.path)
    this.#layer.put('entry', key, entry.raw)
    const lookUps = promptLookUpsOf(key, entry)
    for (const row of lookUps) this.#layer.put(row.table, row.key, row.value)
    this.#tree.add(entry, 1)
    this.#count(countsOfEntry(entry), 1)
    const wasKnown = isImage(entry) && this.#refer(entry.hash, entry, { live: 1 })
    if (isImage(entry)) this.#late.add(lookUps[0].key, entry, !wasKnown)
    const isReplaced = entry.kind === KIND_IMAGE && current !== undefined
    if (wasKnown || (isReplaced && this.#concernsView(entry.path))) {
      this.addIntent('view', entry.path)
    }
  }

  /** An image leaves the index and is kept for a person to decide on, however long that takes. */
  putToReview(image: ImageEntry, from: string): void {
    const key = entryKey(image.kind, image.path)
    this.#takeOut(key, image)
    this.#layer.put('entry', key, undefined)
    const past = keys.past(key, image)
    this.#layer.put('age', keys.age(this.#nowMs, past), undefined)
    const row: ReviewRow = { past, from, atMs: this.#nowMs }
    this.#layer.put('review', image.path, row)
    this.#count({ reviewImages: 1 }, 1)
    this.addIntent('view', image.path)
  }

  /**
   * Whether this image, or a later one of its path, is on the review list: until a person has
   * decided it is not taken in again from others, of which some would give it back for ever.
   */
  isReviewed(image: ImageEntry): boolean {
    const row = this.#layer.get('review', image.path) as ReviewRow | undefined
    const past = row && readPast(this.#layer.get('past', row.past))
    return past !== undefined && !wins(image, past.entry)
  }

  /** What was put to review ages from now on, as what was deleted does. */
  endReview(path: string): boolean {
    const row = this.#layer.get('review', path) as ReviewRow | undefined
    if (row === undefined) return false
    this.#layer.put('review', path, undefined)
    this.#count({ reviewImages: 1 }, -1)
    const past = readPast(this.#layer.get('past', row.past))
    if (past === undefined) return true
    this.#layer.put('past', row.past, encodePast({ entry: past.entry, sinceMs: this.#nowMs }))
    this.#layer.put('age', keys.age(this.#nowMs, row.past), '')
    return true
  }

  /** See Transaction.forgetTombstones. */
  async forgetTombstones(bucket: number, after?: string): Promise<string | undefined> {
    const first = versionKey(versionAt(bucketStartMs(bucket)))
    const gte = after === undefined ? first : `${after}\0`
    const lt = endOf(versionKey(versionAt(bucketStartMs(bucket + 1)) - 1n))
    const page = await this.#layer.keys('version', { gte, lt, limit: PAGE_ENTRIES })
    for (const row of page) {
      const key = readEntryKey(this.#layer.get('version', row) as VersionRow)
      const entry = key === undefined ? undefined : readEntry(this.#layer.get('entry', key))
      if (key === undefined || entry === undefined || !isTombstone(entry)) continue
      this.#takeOut(key, entry)
      this.#layer.put('entry', key, undefined)
    }
    return page.length < PAGE_ENTRIES ? undefined : page.at(-1)
  }

  /** Takes a past version out; the last one that names a blob frees its bytes. */
  dropPast({ entry, sinceMs }: PastVersion): void {
    const key = keys.past(entryKey(entry.kind, entry.path), entry)
    if (this.#layer.get('past', key) === undefined) return
    const review = this.#layer.get('review', entry.path) as ReviewRow | undefined
    if (review?.past === key) {
      this.#layer.put('review', entry.path, undefined)
      this.#count({ reviewImages: 1 }, -1)
    }
    this.#layer.put('past', key, undefined)
    this.#layer.put('age', keys.age(sinceMs, key), undefined)
    if (entry.hash !== undefined) this.#refer(entry.hash, entry, { past: -1 })
  }

  #takeOut(key: string, current: Entry): void {
    const lookUps = promptLookUpsOf(key, current)
    for (const row of lookUps) this.#layer.put(row.table, row.key, undefined)
    this.#tree.add(current, -1)
    this.#count(countsOfEntry(current), -1)
    if (!isImage(current)) return
    this.#late.remove(lookUps[0].key, current)
    const past = keys.past(key, current)
    // it may have been past before, and have come back from another node
    const before = this.#layer.get('past', past)
    const sinceMs = readPast(before)?.sinceMs
    if (sinceMs !== undefined) this.#layer.put('age', keys.age(sinceMs, past), undefined)
    this.#layer.put('past', past, encodePast({ entry: current, sinceMs: this.#nowMs }))
    this.#layer.put('age', keys.age(this.#nowMs, past), '')
    this.#refer(current.hash, current, { live: -1, past: before === undefined ? 1 : 0 })
  }

  /**
   * Whether images/ shows something under the path, or is about to. An image whose bytes were never
   * here is shown when they come, so a new node has no steps for each entry.
   */
  #concernsView(path: string): boolean {
    return this.#has('view', path) || this.#has('intent', `view/${path}`)
  }

  #has(table: TableName, key: string): boolean {
    return this.#layer.get(table, key) !== undefined
  }

  /**
   * Changes how many entries name a blob. A blob whose place follows from it gets an intent.
   * Whether the blob had a row before.
   */
  #refer(hash: ContentHash, entry: Entry, by: { live?: number; past?: number }): boolean {
    const row = this.blob(hash)
    invariant(entry.md5 !== undefined, 'an entry with a hash has an MD5')
    const before: BlobRow = row ?? {
      bytes: entry.bytes,
      md5: entry.md5,
      mediaType: entry.mediaType,
      state: 'wanted',
      live: 0,
      past: 0
    }
    const after: BlobRow = {
      ...before,
      mediaType: (by.live ?? 0) > 0 ? entry.mediaType : before.mediaType,
      live: before.live + (by.live ?? 0),
      past: before.past + (by.past ?? 0),
      path: this.#name(hash, before.path, entry.path, by.live ?? 0)
    }
    invariant(after.live >= 0 && after.past >= 0, `blob ${hash} is named by what names it`)
    this.putBlob(hash, row, after, entry.version)
    if (after.live === 0 || after.state === 'trashed') this.addIntent('blob', hash)
    return row !== undefined
  }

  /** A path begins or ceases to name a blob; the one that the row of the blob has after that. */
  #name(
    hash: ContentHash,
    named: string | undefined,
    path: string,
    live: number
  ): string | undefined {
    if (live === 0) return named
    if (live > 0 && named === undefined) return path
    if (live < 0 && named === path) return undefined
    this.#layer.put('hash', keys.hash(hash, path), live > 0 ? '' : undefined)
    return named
  }

  putBlob(
    hash: ContentHash,
    before: BlobRow | undefined,
    after: BlobRow | undefined,
    version?: Version
  ): void {
    this.#count(countsOfBlob(before), -1)
    this.#count(countsOfBlob(after), 1)
    const want = before?.want
    this.#wantsAdded += Number(after !== undefined && isWanted(after)) - Number(want !== undefined)
    if (after === undefined || !isWanted(after)) {
      if (want !== undefined) this.#layer.put('want', keys.want(want, hash), undefined)
      this.#layer.put('blob', hash, after && { ...after, want: undefined })
      return
    }
    const named = versionKey(version ?? versionAt(this.#nowMs))
    // no live entry that names a wanted blob is newer than its want: others are told of times
    const newer = version !== undefined && want !== undefined && named > want
    const kept = want === undefined || newer ? named : want
    if (kept !== want) {
      if (want !== undefined) this.#layer.put('want', keys.want(want, hash), undefined)
      this.#layer.put('want', keys.want(kept, hash), '')
    }
    this.#layer.put('blob', hash, { ...after, want: kept })
  }

  #count(share: Partial<Counts>, times: 1 | -1): void {
    addShare(this.#tally, share, times)
  }

  /** What the layer holds, in an object of this change. */
  get #tally(): Writable<Counts> {
    const counts = this.#layer.get('meta', 'counts') as Counts | undefined
    if (this.#counts === undefined || counts !== this.#counts) {
      this.#counts = { ...NO_COUNTS, ...counts }
      this.#layer.put('meta', 'counts', this.#counts)
    }
    return this.#counts
  }
}
