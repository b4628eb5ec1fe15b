// What a node durably has, read from the rows of its disk as they are written: the truth about it,
// whatever it says.

import { decodeEntry, type Entry, isTombstone, wins } from '../../../protocols/entry.ts'
import { bucketOf } from '../../../protocols/time-tree-shape.ts'
import type { Watermarks } from '../../../src/index/plan-watermarks.ts'
import type { Rows } from './world-level.ts'
import type { Stored } from './world-table.ts'

const ENTRY = '!entry!'
const REVIEW = '!review!'
const META = '!meta!'
const MEMBER = '2/member/'

/** Hears of what happens to entries at the moment when it is on the disk. */
export interface ViewWatcher {
  /** The disk is another one from now on, or what a crash has left of it. */
  onRead(view: NodeView): void
  onGone(entry: Entry): void
  onReplaced(before: Entry, entry: Entry): void
}

export class NodeView {
  /** By kind and path. */
  readonly entries = new Map<string, Entry>()
  readonly review = new Set<string>()
  watermarks: Watermarks = {}
  database = ''
  horizon = 0
  /** Entries that went away since somebody looked. */
  readonly gone: Entry[] = []
  watcher: ViewWatcher | undefined
  /** Paths that were put to review since somebody looked. */
  readonly reviewed = new Set<string>()

  static of(rows: Rows, watcher: ViewWatcher | undefined): NodeView {
    const view = new NodeView()
    for (const [key, value] of rows) view.see(key, value)
    view.gone.length = 0
    view.reviewed.clear()
    view.watcher = watcher
    watcher?.onRead(view)
    return view
  }

  see(key: string, value: Stored | undefined): void {
    if (key.startsWith(ENTRY)) this.#seeEntry(key.slice(ENTRY.length), value)
    else if (key.startsWith(META)) this.#seeMeta(key.slice(META.length), value)
    else if (key.startsWith(REVIEW)) this.#seeReview(key.slice(REVIEW.length), value)
  }

  /** Whether it has this or what beats it. */
  has(entry: Entry): boolean {
    const have = this.entries.get(pathKeyOf(entry))
    return have !== undefined && (isSame(have, entry) || wins(have, entry))
  }

  /**
   * Whether it may have collected a deletion of this path that is no older than the entry. An older
   * one that it still has says nothing: below the horizon it is shown to nobody.
   */
  mayHaveForgotten(entry: Entry): boolean {
    const isForgettable = ({ version }: Entry) => bucketOf(version) < this.horizon
    const have = this.entries.get(pathKeyOf(entry))
    if (have !== undefined && !(isTombstone(have) && isForgettable(have))) return false
    return isForgettable(entry)
  }

  /** Whether a member is known to it, by the database that it has. */
  names(id: string, database: string): boolean {
    const value = this.entries.get(MEMBER + id)?.value
    return value !== undefined && JSON.parse(Buffer.from(value).toString()).database === database
  }

  /** Members of which it knows that they were removed, also if they came back since. */
  removedMembers(): Set<string> {
    const removed = new Set<string>()
    for (const [key, { value, deleted }] of this.entries) {
      if (!key.startsWith(MEMBER)) continue
      const isBack = value !== undefined && JSON.parse(Buffer.from(value).toString()).returned
      if (deleted || isBack === true) removed.add(key.slice(MEMBER.length))
    }
    return removed
  }

  /** Its own, and those of nodes with which it was proved to have the same. */
  knownDatabases(): Set<string> {
    return new Set([
      this.database,
      ...Object.values(this.watermarks).map(({ database }) => database)
    ])
  }

  #seeEntry(path: string, value: Stored | undefined): void {
    const before = this.entries.get(path)
    if (value === undefined) {
      this.entries.delete(path)
      if (before === undefined) return
      this.gone.push(before)
      this.watcher?.onGone(before)
    } else {
      const entry = entryOf(value as Uint8Array)
      this.entries.set(path, entry)
      if (before !== undefined) this.watcher?.onReplaced(before, entry)
    }
  }

  #seeReview(path: string, value: Stored | undefined): void {
    if (value === undefined) this.review.delete(path)
    else {
      this.review.add(path)
      this.reviewed.add(path)
    }
  }

  #seeMeta(name: string, value: Stored | undefined): void {
    if (value === undefined || !['watermarks', 'horizon', 'database'].includes(name)) return
    const read: unknown = JSON.parse(value as string)
    if (name === 'watermarks') this.watermarks = read as Watermarks
    else if (name === 'horizon') this.horizon = Number(read)
    else this.database = String(read)
  }
}

/** Rows are read again whenever a folder is replaced. */
const entries = new WeakMap<Uint8Array, Entry>()

function entryOf(raw: Uint8Array): Entry {
  const entry = entries.get(raw) ?? decodeEntry(raw)
  entries.set(raw, entry)
  return entry
}

export function pathKeyOf({ kind, path }: Pick<Entry, 'kind' | 'path'>): string {
  return `${kind}/${path}`
}

export function isSame(a: Entry, b: Entry): boolean {
  return a === b || Buffer.compare(a.id, b.id) === 0
}

/** For a person. */
export function nameOf({ path, version, writer, hash, deleted, value }: Entry): string {
  const what = deleted ? 'deleted' : (hash?.slice(0, 4) ?? `${value?.byteLength} bytes`)
  return `${path} (${what} by ${writer}, ${version >> 16n}.${version & 0xffffn})`
}
