// What the nodes of a world have promised, and what excuses them.

import {
  type Entry,
  type ImageEntry,
  isImage,
  isTombstone,
  wins
} from '../../../protocols/entry.ts'
import { bucketOf } from '../../../protocols/time-tree-shape.ts'
import { isSame, type NodeView, nameOf, pathKeyOf } from './node-view.ts'

/** What one node has promised, and what was taken from it. */
export class NodePromises {
  /** Of each path the highest that it has acknowledged, to a person or to another node. */
  readonly #kept = new Map<string, Entry>()
  /** What a person took from it, with its folder or by review. */
  #taken = new Taken()
  /** What all its folders had that were replaced, and their databases. */
  readonly #left = new Taken()
  readonly #databases = new Set<string>()
  /** Entries that it has acknowledged to others since it was last looked at. */
  readonly #unchecked: Entry[] = []

  promise(entry: Entry): void {
    raise(this.#kept, entry)
  }

  /** It has answered a push: it has all of it, or what beats it, or does not want it. */
  acknowledge(entries: readonly Entry[]): void {
    this.#unchecked.push(...entries)
  }

  /**
   * Its folder is another one from now on. One with a new database has never promised anything, and
   * others can tell; one with a database of before lacks what came since, and nobody can: what it
   * sent from another folder meanwhile they take for a word of the same node.
   */
  takeFolder(before: NodeView, after: NodeView): void {
    this.#left.add([...before.entries.values(), ...this.#kept.values(), ...this.#taken.entries()])
    this.#left.horizon = Math.max(this.#left.horizon, before.horizon)
    this.#databases.add(before.database)
    this.#taken = new Taken()
    if (this.#databases.has(after.database)) {
      this.#taken.add([...this.#left.entries()].filter((entry) => !after.has(entry)))
      this.#taken.horizon = this.#left.horizon
    }
    this.#kept.clear()
    this.#unchecked.length = 0
    for (const entry of after.entries.values()) raise(this.#kept, entry)
  }

  /** An entry has left it for a list that a person looks through. */
  takeForReview(entry: Entry): void {
    this.#taken.add([entry])
    const kept = this.#kept.get(pathKeyOf(entry))
    if (kept !== undefined && isSame(kept, entry)) this.#kept.delete(pathKeyOf(entry))
  }

  /** Whether a person took this, or what beats it. */
  hasLost(entry: Entry, bucket: number): boolean {
    return this.#taken.includes(entry) || bucket < this.#taken.horizon
  }

  /** What it should have and has not. */
  *faults(view: NodeView): Generator<string> {
    for (const entry of this.#kept.values()) {
      if (view.has(entry)) continue
      if (isTombstone(entry) && view.mayHaveForgotten(entry)) continue
      yield `has acknowledged ${nameOf(entry)}, and has it no longer`
    }
    for (const entry of this.#unchecked.splice(0)) {
      if (view.has(entry) || view.mayHaveForgotten(entry)) continue
      if (this.hasLost(entry, bucketOf(entry.version))) continue
      yield `has acknowledged ${nameOf(entry)} to another node, and does not have it`
    }
  }
}

/** What is there no longer: of each path the highest. */
class Taken {
  readonly #entries = new Map<string, Entry>()
  /** Deletions below it had been forgotten. */
  horizon = 0

  entries(): Iterable<Entry> {
    return this.#entries.values()
  }

  add(entries: readonly Entry[]): void {
    for (const entry of entries) raise(this.#entries, entry)
  }

  /** Whether it has this, or what beats it. */
  includes(entry: Entry): boolean {
    const taken = this.#entries.get(pathKeyOf(entry))
    return taken !== undefined && (isSame(taken, entry) || wins(taken, entry))
  }
}

/** What was written anywhere. */
export class Writes {
  readonly #latest = new Map<string, Entry>()
  readonly #excused = new Map<string, Entry>()
  /** Images as people wrote them: a node that writes one anew keeps when it was made. */
  readonly #byCreation = new Map<number, Entry>()
  /** All that was acknowledged, in its order. */
  readonly all: Entry[] = []

  end(entry: Entry): void {
    this.all.push(entry)
    if (isImage(entry)) this.#byCreation.set(entry.createdMs, entry)
    raise(this.#latest, entry)
  }

  /** As if a person had written the image now. */
  writeAnew(image: ImageEntry): void {
    this.#byCreation.set(image.createdMs, image)
  }

  /** Some node had it. */
  see(entry: Entry): void {
    raise(this.#latest, entry)
  }

  latest(): Iterable<Entry> {
    return this.#latest.values()
  }

  /** What nobody else knows is lost with a folder. */
  takeFolder(others: readonly NodeView[]): void {
    for (const entry of this.#latest.values()) {
      const isKnown = others.some(
        (view) => view.has(entry) || (isTombstone(entry) && view.mayHaveForgotten(entry))
      )
      if (!isKnown) this.#excused.set(pathKeyOf(entry), entry)
    }
  }

  /** It need not be there in the end: a person looks through it, or two meshes met. */
  excuse(entry: Entry): void {
    raise(this.#excused, entry)
  }

  /** What is wrong with an image that a node has now. */
  faultAt(image: ImageEntry): string | undefined {
    const latest = this.#latest.get(pathKeyOf(image))
    if (latest === undefined || !isTombstone(latest)) return undefined
    // a deletion that beats it is yet to come there
    return wins(latest, image) ? undefined : this.faultOf(latest, image)
  }

  /** What is wrong in the end with a path that some nodes have like this. */
  faultOf(latest: Entry, final: Entry | undefined): string | undefined {
    const written = isImage(final) ? (this.#byCreation.get(final.createdMs) ?? final) : final
    if (written !== undefined && (isSame(written, latest) || wins(written, latest))) {
      return undefined
    }
    const excused = this.#excused.get(pathKeyOf(latest))
    if (excused !== undefined && (isSame(excused, latest) || wins(excused, latest)))
      return undefined
    if (isTombstone(latest)) {
      return isImage(final) ? `${nameOf(latest)} is alive again: ${nameOf(final)}` : undefined
    }
    return `${nameOf(latest)} is lost: ${final === undefined ? 'nothing' : nameOf(final)} is there`
  }
}

function raise(map: Map<string, Entry>, entry: Entry): void {
  const have = map.get(pathKeyOf(entry))
  if (have === undefined || wins(entry, have)) map.set(pathKeyOf(entry), entry)
}
