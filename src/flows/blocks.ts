// Hashes that nobody may have any more: records that all nodes of the mesh share. They are in
// memory, since every read and every blob that comes asks for them: so many of all, and so many of
// each writer. Where too many images are blocked at once a brake engages, and what comes then is
// held until a person has looked at it.

import { KIND_RECORD } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { versionMs } from '../../protocols/version.ts'
import { saidAs } from '../base/cause.ts'
import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { RecordRow } from '../index/rows.ts'
import type { News, Transaction } from '../index/transaction.ts'
import { BLOCK_PREFIX, type Block, blockedBy, blockValue, readBlock } from './block-record.ts'
import type { Brakes } from './brakes.ts'

/** In memory, some hundred bytes each; whoever is in the mesh writes records as he likes. */
export const BLOCKS_MAX = 100_000
/** Of one writer, so that no single node takes the room of the others. */
export const BLOCKS_PER_WRITER_MAX = 25_000
const GROUP_BLOCKS = 256
/** Under it the index of this node alone has when it heard of them. */
const HEARD_PREFIX = 'block-heard/'

export interface KnownBlock extends Block {
  readonly writer: string
  /** Of its record. */
  readonly versionMs: number
  /** When this node heard of it. */
  readonly sinceMs: number
}

type Written = Pick<KnownBlock, 'writer' | 'versionMs'>

export interface BlocksParts {
  readonly index: ImageIndex
  readonly log: Log
  readonly clock: Pick<Clock, 'now'>
  readonly brakes: Pick<Brakes, 'engaged' | 'requireChanges' | 'onRelease'>
}

export class Blocks {
  readonly #parts: BlocksParts
  readonly #known = new Map<ContentHash, KnownBlock>()
  /** Those that wait for a person's word. */
  readonly #held = new Map<ContentHash, KnownBlock>()
  /** Hashes for which there was no room, in the order in which they came. */
  readonly #leftOut = new Map<ContentHash, Written>()
  readonly #perWriter = new Map<string, number>()
  readonly #listeners: ((hash: ContentHash) => void)[] = []

  /** Reads those that there are, the oldest first, and hears of all changes from then on. */
  static async open(parts: BlocksParts): Promise<Blocks> {
    const blocks = new Blocks(parts)
    const { index, brakes } = parts
    const stoppedFromMs = brakes.engaged('changes')?.fromMs ?? 0
    // more than there is room for are looked at, so that the oldest are those that are kept
    let found: RecordRow[] = []
    for await (const record of index.records(BLOCK_PREFIX)) {
      if (found.push(record) >= 2 * BLOCKS_MAX) found = oldestOf(found)
    }
    for (const { name, value, writer, version } of oldestOf(found)) {
      const hash = blockedBy({ kind: KIND_RECORD, path: name })
      if (hash === undefined) continue
      const block = readBlock(hash, value)
      const heardMs = index.meta(HEARD_PREFIX + hash) as number | undefined
      const sinceMs = heardMs ?? block.createdMs
      const known = { ...block, writer, versionMs: versionMs(version), sinceMs }
      // what the brake did not stop holds, also where the last run did not come to carry it out
      const isOlder = heardMs !== undefined && heardMs < stoppedFromMs
      if (!isOlder && blocks.#isHeld(hash)) blocks.#hold(known)
      else blocks.#admit(known)
    }
    index.onNews((news) => blocks.#hear(news))
    parts.brakes.onRelease(({ kind }) => {
      if (kind === 'changes') blocks.#admitHeld()
    })
    return blocks
  }

  private constructor(parts: BlocksParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#known.size
  }

  /** Those that wait for a person's word, and those that there is no room for. */
  get waiting(): { readonly held: number; readonly leftOut: number } {
    return { held: this.#held.size, leftOut: this.#leftOut.size }
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
   * of before. Errors: VALIDATION where there are too many, BRAKE_ENGAGED.
   */
  async add(hash: ContentHash, { reason, node }: Pick<Block, 'reason' | 'node'>): Promise<Block> {
    const { index, brakes } = this.#parts
    return index.change((tx) => {
      if (!this.has(hash)) {
        brakes.requireChanges()
        const fault = this.#fullness(tx.writer)
        if (fault !== undefined)
          throw new NodeError('VALIDATION', `${fault}: unblock some.`, saidAs('blocks_many'))
      }
      const about = { reason, node, createdMs: tx.nowMs }
      tx.putRecord(BLOCK_PREFIX + hash, blockValue(about))
      return { hash, ...about }
    })
  }

  /** False if it was not blocked. */
  async remove(hash: ContentHash): Promise<boolean> {
    return (
      (await this.#parts.index.change((tx) => tx.deleteRecord(BLOCK_PREFIX + hash))) !== undefined
    )
  }

  /** What was blocked since then by this node's clock, and what is held. */
  since(ms: number): readonly KnownBlock[] {
    const late = [...this.#known.values()].filter(({ sinceMs }) => sinceMs >= ms)
    return [...this.#held.values(), ...late]
  }

  /** Takes these back, on all nodes; says how many. */
  async removeSince(ms: number): Promise<number> {
    const hashes = this.since(ms).map(({ hash }) => hash)
    for (let at = 0; at < hashes.length; at += GROUP_BLOCKS) {
      await this.#parts.index.change((tx) => {
        for (const hash of hashes.slice(at, at + GROUP_BLOCKS)) tx.deleteRecord(BLOCK_PREFIX + hash)
      })
    }
    return hashes.length
  }

  #hear(news: readonly News[]): void {
    const heard = new Map<ContentHash, number | undefined>()
    for (const { entry, from } of news) {
      const hash = blockedBy(entry)
      if (hash === undefined) continue
      const isOwn = from === undefined
      const { value, writer, version } = entry
      if (value === undefined) this.#drop(hash)
      else this.#note(hash, value, { writer, versionMs: versionMs(version) }, { isOwn })
      heard.set(hash, this.#sinceOf(hash))
      for (const listener of this.#listeners) listener(hash)
    }
    if (heard.size > 0) void this.#remember(heard)
  }

  /** When they were heard of: what their writers say may be long ago. */
  async #remember(heard: ReadonlyMap<ContentHash, number | undefined>): Promise<void> {
    const { index, log } = this.#parts
    const write = (tx: Transaction) => {
      for (const [hash, ms] of heard) tx.setMeta(HEARD_PREFIX + hash, ms)
    }
    await index.change(write, { durable: false }).catch((error) => {
      log.warn({ err: error }, 'it was not written down when blocks were heard of')
    })
  }

  #sinceOf(hash: ContentHash): number | undefined {
    return (this.#known.get(hash) ?? this.#held.get(hash))?.sinceMs
  }

  /** `isOwn`: its caller was not turned away, and has been told that it is blocked. */
  #note(
    hash: ContentHash,
    value: Uint8Array,
    { writer, versionMs }: Written,
    { isOwn = false } = {}
  ): void {
    const sinceMs = this.#sinceOf(hash) ?? this.#parts.clock.now()
    const known = { ...readBlock(hash, value), writer, versionMs, sinceMs }
    if (!isOwn && !this.#known.has(hash) && this.#isHeld(hash)) this.#hold(known)
    else this.#admit(known)
  }

  /** While too much is blocked, what would take away an image that is there waits. */
  #isHeld(hash: ContentHash): boolean {
    const { brakes, index } = this.#parts
    if (brakes.engaged('changes') === undefined) return false
    const row = index.blob(hash)
    return row !== undefined && row.live > 0 && row.state !== 'blocked'
  }

  #hold(block: KnownBlock): void {
    if (this.#held.size < BLOCKS_MAX || this.#held.has(block.hash)) {
      this.#held.set(block.hash, block)
    } else this.#leaveOut(block)
  }

  #admitHeld(): void {
    const held = [...this.#held.values()]
    this.#held.clear()
    for (const block of held) {
      this.#admit(block)
      for (const listener of this.#listeners) listener(block.hash)
    }
  }

  #admit(block: KnownBlock): void {
    const { hash, writer } = block
    const before = this.#known.get(hash)
    if (before === undefined && this.#fullness(writer) !== undefined) {
      this.#leaveOut(block)
      return
    }
    if (before !== undefined) this.#count(before.writer, -1)
    this.#count(writer, 1)
    this.#known.set(hash, block)
    this.#leftOut.delete(hash)
  }

  #drop(hash: ContentHash): void {
    this.#held.delete(hash)
    this.#leftOut.delete(hash)
    const known = this.#known.get(hash)
    if (known === undefined) return
    this.#known.delete(hash)
    this.#count(known.writer, -1)
    this.#fillUp()
  }

  /** Where one went there is room for one that was left out. */
  #fillUp(): void {
    for (const [hash, written] of this.#leftOut) {
      if (this.#fullness(written.writer) !== undefined) continue
      const value = this.#parts.index.record(BLOCK_PREFIX + hash)
      this.#leftOut.delete(hash)
      if (value !== undefined) this.#note(hash, value, written)
      if (!this.#known.has(hash)) continue
      for (const listener of this.#listeners) listener(hash)
      return
    }
  }

  #count(writer: string, change: 1 | -1): void {
    const count = (this.#perWriter.get(writer) ?? 0) + change
    if (count === 0) this.#perWriter.delete(writer)
    else this.#perWriter.set(writer, count)
  }

  #leaveOut({ hash, writer, versionMs }: KnownBlock): void {
    if (this.#leftOut.size >= BLOCKS_MAX) return
    if (this.#leftOut.size === 0) {
      this.#parts.log.warn({ hash, writer }, `${this.#fullness(writer)}: what comes now is not`)
    }
    this.#leftOut.set(hash, { writer, versionMs })
  }

  /** Undefined while there is room. */
  #fullness(writer: string): string | undefined {
    if (this.#known.size >= BLOCKS_MAX) return `${BLOCKS_MAX} hashes are blocked already`
    if ((this.#perWriter.get(writer) ?? 0) < BLOCKS_PER_WRITER_MAX) return undefined
    return `${BLOCKS_PER_WRITER_MAX} hashes of one server are blocked already`
  }
}

function oldestOf(records: RecordRow[]): RecordRow[] {
  const order = (a: RecordRow, b: RecordRow) => (a.version < b.version ? -1 : 1)
  return records.sort(order).slice(0, BLOCKS_MAX)
}

function blocked({ hash, reason }: Block): NodeError {
  const why = reason === '' ? '' : `: ${reason}`
  return new NodeError('BLOCKED', `These bytes are blocked on all servers of the mesh${why}.`, {
    hash,
    ...(reason === '' ? saidAs('bytes_blocked') : saidAs('bytes_blocked_since', { reason }))
  })
}
