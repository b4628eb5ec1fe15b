// What was written in a world, and what must be left of it: of every path the highest write that
// was acknowledged, or one above it that was under way when its node died.

import { type Entry, wins } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'

/** A write nobody was told of. */
export interface Doubt {
  readonly path: string
  readonly writer: string
  /** Undefined if it deletes. */
  readonly hash: ContentHash | undefined
}

export class Writes {
  readonly #highest = new Map<string, Entry>()
  readonly #doubts = new Set<Doubt>()
  readonly #touched = new Set<string>()
  /** Every entry that was acknowledged. */
  readonly all: Entry[] = []

  paths(): readonly string[] {
    return [...this.#touched]
  }

  /** All bytes that were acknowledged. */
  hashes(): readonly ContentHash[] {
    return [...new Set(this.all.flatMap(({ hash }) => hash ?? []))]
  }

  /** A write begins. */
  begin(doubt: Doubt): void {
    this.#doubts.add(doubt)
    this.#touched.add(doubt.path)
  }

  /** It ended with this entry; without one it changed nothing. */
  end(doubt: Doubt, entry: Entry | undefined): void {
    this.#doubts.delete(doubt)
    if (entry === undefined) return
    this.all.push(entry)
    const highest = this.#highest.get(entry.path)
    if (highest === undefined || wins(entry, highest)) this.#highest.set(entry.path, entry)
  }

  /** What is wrong with the entry that a path has in the end; undefined if nothing is. */
  faultOf(path: string, final: Entry | undefined): string | undefined {
    const highest = this.#highest.get(path)
    if (highest === undefined && final === undefined) return undefined
    if (final === undefined) return `${path} is lost: ${nameOf(highest as Entry)}`
    if (highest !== undefined && Buffer.compare(highest.id, final.id) === 0) return undefined
    const isHigher = highest === undefined || wins(final, highest)
    const isDoubt = [...this.#doubts].some(
      (one) => one.path === path && one.writer === final.writer && one.hash === final.hash
    )
    if (isHigher && isDoubt) return undefined
    const before = highest === undefined ? 'nothing' : nameOf(highest)
    return `${path} is ${nameOf(final)}, and should be ${before}`
  }
}

function nameOf({ version, writer, hash }: Entry): string {
  return `${hash?.slice(0, 8) ?? 'deleted'} of ${writer}, ${version >> 16n}.${version & 0xffffn}`
}
