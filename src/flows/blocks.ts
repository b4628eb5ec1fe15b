// Hashes that nobody may have any more: records that all nodes of the mesh share. They are in
// memory, since every read and every blob that comes asks for them.

import { KIND_RECORD } from '../../protocols/entry.ts'
import { type ContentHash, parseHash } from '../../protocols/hash.ts'
import { plainLine } from '../../protocols/message.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { News } from '../index/transaction.ts'

export interface Block {
  readonly hash: ContentHash
  /** Why, for people. */
  readonly reason: string
  /** Name of the node on which it was made. */
  readonly node: string
  readonly createdMs: number
}

const PREFIX = 'block/'
/** In memory, some hundred bytes each; whoever is in the mesh writes records as he likes. */
export const BLOCKS_MAX = 100_000
export const REASON_CHARACTERS_MAX = 500
const NODE_CHARACTERS_MAX = 63
/** The last that a date can hold. */
const TIME_MS_MAX = 8.64e15

export class Blocks {
  readonly #index: ImageIndex
  readonly #log: Log
  readonly #known = new Map<ContentHash, Block>()
  readonly #listeners: ((hash: ContentHash) => void)[] = []

  /** Reads those that there are, and hears of all changes from then on. */
  static async open(parts: { readonly index: ImageIndex; readonly log: Log }): Promise<Blocks> {
    const blocks = new Blocks(parts)
    for await (const { name, value } of parts.index.records(PREFIX)) blocks.#note(name, value)
    parts.index.onNews((news) => blocks.#hear(news))
    return blocks
  }

  private constructor({ index, log }: { readonly index: ImageIndex; readonly log: Log }) {
    this.#index = index
    this.#log = log
  }

  get size(): number {
    return this.#known.size
  }

  has(hash: ContentHash): boolean {
    return this.#known.size > 0 && this.#known.has(hash)
  }

  get(hash: ContentHash): Block | undefined {
    return this.#known.get(hash)
  }

  /** In no order. */
  all(): Iterable<Block> {
    return this.#known.values()
  }

  /** Throws BLOCKED. */
  require(hash: ContentHash): void {
    const block = this.#known.size > 0 ? this.#known.get(hash) : undefined
    if (block !== undefined) throw blocked(block)
  }

  /** Calls `listener` with each hash that was blocked or unblocked, once that is so here. */
  onChange(listener: (hash: ContentHash) => void): void {
    this.#listeners.push(listener)
  }

  /**
   * Blocks a hash on all nodes, whether anybody has its bytes or not; another reason replaces that
   * of before. Errors: VALIDATION where there are too many.
   */
  async add(hash: ContentHash, { reason, node }: Pick<Block, 'reason' | 'node'>): Promise<Block> {
    if (this.#known.size >= BLOCKS_MAX && !this.has(hash)) {
      throw new NodeError('VALIDATION', `${BLOCKS_MAX} hashes are blocked already: unblock some.`)
    }
    return this.#index.change((tx) => {
      const about = { reason, node, createdMs: tx.nowMs }
      tx.putRecord(PREFIX + hash, Buffer.from(JSON.stringify(about)))
      return { hash, ...about }
    })
  }

  /** False if it was not blocked. */
  async remove(hash: ContentHash): Promise<boolean> {
    return (await this.#index.change((tx) => tx.deleteRecord(PREFIX + hash))) !== undefined
  }

  #hear(news: readonly News[]): void {
    for (const { entry } of news) {
      if (entry.kind !== KIND_RECORD || !entry.path.startsWith(PREFIX)) continue
      const hash = this.#note(entry.path, entry.deleted ? undefined : entry.value)
      if (hash !== undefined) for (const listener of this.#listeners) listener(hash)
    }
  }

  /** What the record says now; undefined: it was deleted. The hash, if it names one. */
  #note(name: string, value: Uint8Array | undefined): ContentHash | undefined {
    const hash = hashOf(name)
    if (hash === undefined) return undefined
    if (value === undefined) this.#known.delete(hash)
    else if (this.#known.size < BLOCKS_MAX || this.#known.has(hash)) {
      this.#known.set(hash, readBlock(hash, value))
    } else this.#log.warn({ hash }, `more than ${BLOCKS_MAX} hashes are blocked: this one is not`)
    return hash
  }
}

function blocked({ hash, reason }: Block): NodeError {
  const why = reason === '' ? '' : `: ${reason}`
  return new NodeError('BLOCKED', `These bytes are blocked on all servers of the mesh${why}.`, {
    hash
  })
}

function hashOf(name: string): ContentHash | undefined {
  const text = name.slice(PREFIX.length)
  return /^[0-9a-f]{64}$/.test(text) ? parseHash(text) : undefined
}

/** A record that was written wrongly still blocks. */
function readBlock(hash: ContentHash, value: Uint8Array): Block {
  const text = (about: unknown, max: number) =>
    typeof about === 'string' ? plainLine(about.slice(0, max)).toWellFormed() : ''
  let said: { reason?: unknown; node?: unknown; createdMs?: unknown } | null = null
  try {
    said = JSON.parse(Buffer.from(value).toString())
  } catch {}
  const reason = text(said?.reason, REASON_CHARACTERS_MAX)
  const ms = said?.createdMs
  const createdMs = typeof ms === 'number' && ms >= 0 && ms <= TIME_MS_MAX ? ms : 0
  return { hash, reason, node: text(said?.node, NODE_CHARACTERS_MAX), createdMs }
}
