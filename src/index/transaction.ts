// One change of the index: what a flow may read and write within it. Everything it writes is one
// atomic batch; what follows from it is worked out by the ledger.

import type { EntryRef } from '../../protocols/entries/entry-ref.ts'
import {
  decodeEntry,
  type Entry,
  type EntryFields,
  encodeEntry,
  type ImageEntry,
  isImage,
  isTombstone,
  KIND_IMAGE,
  KIND_RECORD,
  wins
} from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { bucketOf } from '../../protocols/time-tree-shape.ts'
import { isWithinReach, type Version } from '../../protocols/version.ts'
import { invariant } from '../base/errors.ts'
import type { Layer } from './layer.ts'
import { Ledger, type LedgerParts, type Step } from './ledger.ts'
import { livePathsOf } from './look-ups.ts'
import { planVersion } from './plan-version.ts'
import { readPast } from './read-entry.ts'
import { type BlobRow, type IntentRow, type PastVersion, takesAway, type ViewRow } from './rows.ts'
import { SharedPast } from './shared-past.ts'
import { endOf, entryKey, keys, versionRowKey } from './tables.ts'
import type { VersionRow } from './version-encoding.ts'

/** What the writer of an image says; version, writer and the rest are added here. */
export interface ImageDraft {
  readonly path: ImagePath
  readonly hash: ContentHash
  readonly md5: Md5
  readonly bytes: number
  readonly mediaType: string
  readonly width?: number | undefined
  readonly height?: number | undefined
  readonly sourceUrl?: string | undefined
  readonly createdMs: number
  /** Where the version should not come from the clock: the age of a file that was found. */
  readonly versionMs?: number | undefined
}

/** An entry that has become current, and the peer that it came from; none for an own write. */
export interface News {
  readonly entry: Entry
  readonly from: string | undefined
  /** Whether it deletes an image that was live, or gives its path other bytes. */
  readonly replaced: boolean
}

export interface TransactionParts extends LedgerParts {
  readonly writer: string
}

/** Live paths of one blob that are handled together; more only a program gone wild would make. */
const PATHS_MAX = 100_000
/** Past versions read at a time. */
const PAGE_VERSIONS = 256

export class Transaction {
  readonly #layer: Layer
  readonly #ledger: Ledger
  readonly #writer: string
  readonly #nowMs: number
  readonly #news: News[] = []
  /** What this node and others were proved to share. */
  readonly shared: SharedPast

  constructor(parts: TransactionParts) {
    this.#layer = parts.layer
    this.shared = new SharedPast(parts.layer)
    this.#ledger = new Ledger(parts)
    this.#writer = parts.writer
    this.#nowMs = parts.nowMs
  }

  /** Peer id of this node. */
  get writer(): string {
    return this.#writer
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** What follows from entries, and all tables: for what mends these, or reads other records. */
  get ledger(): Ledger {
    return this.#ledger
  }

  /** The current entry of an image path, a tombstone included. */
  get(path: ImagePath): Entry | undefined {
    return this.#entry(entryKey(KIND_IMAGE, path))
  }

  blob(hash: ContentHash): BlobRow | undefined {
    return this.#ledger.blob(hash)
  }

  view(path: ImagePath): ViewRow | undefined {
    return this.#layer.get('view', path) as ViewRow | undefined
  }

  /** One path under which the blob is live. */
  async firstPathOf(hash: ContentHash): Promise<ImagePath | undefined> {
    return (await livePathsOf(this.#layer, hash, 1))[0]
  }

  /** Past versions of a path, newest first. What it yields may be dropped. */
  async *pastOf(path: ImagePath): AsyncGenerator<PastVersion> {
    const gte = `${entryKey(KIND_IMAGE, path)}\0`
    for (let lt = endOf(gte); ; ) {
      const page = await this.#layer.keys('past', { gte, lt, limit: PAGE_VERSIONS, reverse: true })
      yield* page.flatMap((key) => readPast(this.#layer.get('past', key)) ?? [])
      const last = page.at(-1)
      if (last === undefined) return
      lt = last
    }
  }

  /**
   * Writes an image under its path (rule 1). Same path and same bytes make no entry: the current
   * one is returned. The view of the path, and the places of blobs, become intents.
   */
  putImage(draft: ImageDraft): { entry: Entry; changed: boolean } {
    const current = this.get(draft.path)
    if (isImage(current) && current.hash === draft.hash) return { entry: current, changed: false }
    const { versionMs, ...fields } = draft
    return {
      entry: this.#write(KIND_IMAGE, current, { ...fields, deleted: false }, versionMs),
      changed: true
    }
  }

  /** Deletes a path that is live; undefined if it is not. */
  deleteImage(path: ImagePath): Entry | undefined {
    const current = this.get(path)
    if (!isImage(current)) return undefined
    return this.#delete(current)
  }

  /**
   * Takes an entry of another node, the peer `from`: `review` if this image may have been deleted
   * and forgotten here (rule 7), or is in review, `deleted` if it was, `refused` if nothing could
   * replace it.
   */
  receive(entry: Entry, from: string): 'merged' | 'known' | 'review' | 'deleted' | 'refused' {
    if (!isWithinReach(entry.version, this.#nowMs)) return 'refused'
    const horizon = this.shared.forgottenUntil(this.#nowMs)
    const current = this.#entry(entryKey(entry.kind, entry.path))
    // one that is not shown to others any more counts as none: there may have been later ones
    const isDead = current !== undefined && isTombstone(current)
    const isForgotten = isDead && bucketOf(current.version) < horizon
    if ((current === undefined || isForgotten) && bucketOf(entry.version) < horizon) {
      if (isImage(entry)) return 'review'
      if (isTombstone(entry)) return 'known'
    }
    if (current === undefined && isImage(entry) && this.#ledger.isReviewed(entry)) return 'review'
    if (this.#merge(entry, current, from)) return 'merged'
    return isDead && isImage(entry) ? 'deleted' : 'known'
  }

  /** Merges an entry of another node (rule 2): false if it is not news here. */
  merge(entry: Entry, from: string): boolean {
    return this.#merge(entry, this.#entry(entryKey(entry.kind, entry.path)), from)
  }

  /** The live image that a ref names, if it is still current. */
  imageOf(ref: EntryRef): ImageEntry | undefined {
    const name = versionRowKey(ref.version, ref.pathHash)
    const row = this.#layer.get('version', name) as VersionRow | undefined
    const entry = typeof row === 'string' ? this.#entry(row) : row && decodeEntry(row)
    return isImage(entry) ? entry : undefined
  }

  /** Rule 7, where an image was offered: it leaves the index for the review list. */
  putToReview(image: ImageEntry, from: string): void {
    this.#ledger.putToReview(image, from)
  }

  /** What was put to review goes to the trash; false if nothing was. */
  discardReviewed(path: ImagePath): boolean {
    return this.#ledger.endReview(path)
  }

  /** The same image as a new version of its own path: it was never known where it is offered. */
  writeAnew(image: ImageEntry): Entry {
    const { kind, path, hash, md5, bytes, mediaType, width, height, sourceUrl, createdMs } = image
    const about = { path, hash, md5, bytes, mediaType, width, height, sourceUrl, createdMs }
    return this.#write(kind, image, { ...about, deleted: false })
  }

  /** Rule 6, for one bucket, from the row `after` on; where to go on, undefined at its end. */
  forgetTombstones(bucket: number, after?: string): Promise<string | undefined> {
    return this.#ledger.forgetTombstones(bucket, after)
  }

  /** What this change made current, in its order. */
  get news(): readonly News[] {
    return this.#news
  }

  /** How many more blobs are lacking than before. */
  get wantsAdded(): number {
    return this.#ledger.wantsAdded
  }

  /** Writes a record: small data that all nodes of the mesh share. `versionMs` as of an image. */
  putRecord(name: string, value: Uint8Array, versionMs?: number): Entry {
    const about = { path: name, deleted: false, value, createdMs: this.#nowMs }
    const current = this.#entry(entryKey(KIND_RECORD, name))
    return this.#write(KIND_RECORD, current, { ...about, bytes: 0, mediaType: '' }, versionMs)
  }

  /** Deletes a record; undefined if there is none. */
  deleteRecord(name: string): Entry | undefined {
    const current = this.#entry(entryKey(KIND_RECORD, name))
    if (current === undefined || current.deleted) return undefined
    return this.#delete(current)
  }

  /**
   * Says what is true of the blob here. The row must exist: an entry, live or past, names the blob.
   */
  setBlob(
    hash: ContentHash,
    change: Pick<BlobRow, 'state'> & Partial<Pick<BlobRow, 'stamp' | 'verifiedAtMs' | 'reason'>>
  ): void {
    const row = this.blob(hash)
    invariant(row !== undefined, `blob ${hash} has a row`)
    const { stamp, verifiedAtMs, reason, ...kept } = row
    const onDisk = ['held', 'trashed', 'blocked'].includes(change.state)
    this.#ledger.putBlob(hash, row, {
      ...kept,
      state: change.state,
      ...(onDisk && {
        stamp: change.stamp ?? stamp,
        verifiedAtMs: change.verifiedAtMs ?? verifiedAtMs
      }),
      ...(change.reason !== undefined && { reason: change.reason })
    })
    // What names the blob may have changed since its place was decided.
    const isMisplaced = row.live > 0 ? change.state === 'trashed' : change.state === 'held'
    if (isMisplaced && change.state !== row.state) this.addIntent('blob', hash)
  }

  /** The views of all paths of a blob must follow: its bytes have come, or are lost. */
  async intendViews(hash: ContentHash): Promise<void> {
    for (const path of await livePathsOf(this.#layer, hash, PATHS_MAX)) {
      this.addIntent('view', path)
    }
  }

  setView(path: ImagePath, row: ViewRow | undefined): void {
    this.#layer.put('view', path, row)
  }

  addIntent(step: Step, subject: string): void {
    this.#ledger.addIntent(step, subject)
  }

  intent(step: Step, subject: string): IntentRow | undefined {
    return this.#layer.get('intent', `${step}/${subject}`) as IntentRow | undefined
  }

  /** Closes a step that is done and durable, unless a newer change has asked for it again. */
  endIntent(step: Step, subject: string, generation: number): void {
    if (this.intent(step, subject)?.generation !== generation) return
    this.#layer.put('intent', `${step}/${subject}`, undefined)
  }

  /** Forgets a past version; the last one that names a blob frees its bytes. */
  dropPast(version: PastVersion): void {
    this.#ledger.dropPast(version)
  }

  /** Forgets the row of a blob whose bytes are gone; it is wanted if something names it again. */
  forgetBlob(hash: ContentHash): void {
    const row = this.blob(hash)
    if (row === undefined) return
    if (row.live > 0 || row.past > 0) this.setBlob(hash, { state: 'wanted' })
    else {
      this.#ledger.putBlob(hash, row, undefined)
      this.#layer.put('md5', keys.md5(row.md5, hash), undefined)
    }
  }

  meta(name: string): unknown {
    return this.#layer.get('meta', name)
  }

  setMeta(name: string, value: unknown): void {
    this.#layer.put('meta', name, value)
  }

  #entry(key: string): Entry | undefined {
    const raw = this.#layer.get('entry', key) as Uint8Array | undefined
    return raw === undefined ? undefined : decodeEntry(raw)
  }

  #merge(entry: Entry, current: Entry | undefined, from: string): boolean {
    if (current !== undefined && !wins(entry, current)) return false
    this.#ledger.merge(entry, current)
    this.shared.lower(entry.version, from)
    this.#news.push({ entry, from, replaced: takesAway(entry, current) })
    return true
  }

  #delete(current: Entry): Entry {
    const { kind, path, createdMs } = current
    return this.#write(kind, current, { path, deleted: true, bytes: 0, mediaType: '', createdMs })
  }

  #write(
    kind: number,
    current: Entry | undefined,
    fields: Omit<EntryFields, 'kind' | 'version' | 'writer' | 'replaces'>,
    versionMs?: number
  ): Entry {
    const version = this.#nextVersion(current, versionMs)
    const entry = encodeEntry({
      ...fields,
      kind,
      version,
      writer: this.#writer,
      replaces: current?.version
    })
    this.#ledger.merge(entry, current)
    if (kind === KIND_IMAGE) this.addIntent('view', entry.path)
    this.#news.push({ entry, from: undefined, replaced: takesAway(entry, current) })
    return entry
  }

  /** Rule 1: after the clock, the replaced version, the floor and every version of our own. */
  #nextVersion(current: Entry | undefined, versionMs: number | undefined): Version {
    const last = BigInt((this.meta('last') as string | undefined) ?? 0)
    const version = planVersion({
      ...{ nowMs: this.#nowMs, versionMs, replaced: current?.version ?? 0n },
      ...{ floor: this.shared.floor, last }
    })
    if (version > last) this.setMeta('last', version.toString())
    return version
  }
}
