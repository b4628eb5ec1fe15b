// The disk of an index in a world: a database in memory that is slow, fails, dies in the middle of
// a batch, loses in a power cut what was not synced, and is copied at no cost. It tells what it
// holds without being asked through its tables.

import { MemoryLevel } from 'memory-level'
import type { Database } from '../../../src/index/tables.ts'

interface Operation {
  readonly type: 'put' | 'del'
  readonly key: Uint8Array
  readonly value?: Uint8Array
}

/** Rows by their whole key, as latin1 text. */
export type Rows = ReadonlyMap<string, Uint8Array>

/** What a batch replaced: takes it back. */
type Undo = readonly (readonly [string, Uint8Array | undefined])[]

export class WorldLevel extends MemoryLevel<string, Uint8Array> {
  readonly #rows = new Map<string, Uint8Array>()
  /** Of the batches since the last synced one. */
  readonly #unsynced: Undo[] = []
  readonly #unseen: (readonly Operation[])[] = []
  #failure: { readonly error: Error; readonly isWritten: boolean } | undefined
  #isDead = false
  #changes = 0
  /** Awaited before and after each batch. */
  pause: () => Promise<void> | undefined = () => undefined
  /** Hears of each row that changes. */
  onRow: (key: string, value: Uint8Array | undefined) => void = () => {}

  constructor() {
    super({ valueEncoding: 'view' })
  }

  /** An open one that holds these rows. */
  static async of(rows: Rows): Promise<WorldLevel> {
    const level = new WorldLevel()
    await level.open()
    const operations = [...rows].map(([key, value]) => {
      return { type: 'put', key: Buffer.from(key, 'latin1'), value } as const
    })
    await level.#apply(operations, true)
    return level
  }

  get database(): Database {
    return this as unknown as Database
  }

  get rows(): Rows {
    return this.#rows
  }

  /** Another number after each batch. */
  get changes(): number {
    return this.#changes
  }

  /** From now on nothing is written, and nobody hears of it: its node is dead. */
  die(): void {
    this.#isDead = true
  }

  /** The next batch fails; one that is written all the same is there after the next opening. */
  failNext(error: Error, isWritten: boolean): void {
    this.#failure = { error, isWritten }
  }

  spareNext(): void {
    this.#failure = undefined
  }

  /** What is on the disk: after a power cut all that was synced, and `share` of what came after. */
  left(share: number): Rows {
    const rows = new Map(this.#rows)
    const kept = Math.floor(this.#unsynced.length * share)
    for (const undo of this.#unsynced.slice(kept).reverse()) {
      for (const [key, value] of undo) value === undefined ? rows.delete(key) : rows.set(key, value)
    }
    return rows
  }

  async _open(options: object): Promise<void> {
    // @ts-expect-error: for implementations, and so not in the types
    await super._open(options)
    for (const operations of this.#unseen.splice(0)) await this.#apply(operations, true)
  }

  async _batch(operations: readonly Operation[], { sync }: { sync?: boolean }): Promise<void> {
    const failure = this.#failure
    this.#failure = undefined
    await this.pause()
    if (this.#isDead) await new Promise(() => {})
    if (failure?.isWritten) this.#unseen.push(operations)
    if (failure === undefined) await this.#apply(operations, sync === true)
    await this.pause()
    if (this.#isDead) await new Promise(() => {})
    if (failure !== undefined) throw failure.error
  }

  _getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#rows.get(Buffer.prototype.latin1Slice.call(key))
  }

  async #apply(operations: readonly Operation[], isSynced: boolean): Promise<void> {
    this.#changes++
    const undo = operations.map(({ type, key: bytes, value }) => {
      const key = Buffer.prototype.latin1Slice.call(bytes)
      const before = this.#rows.get(key)
      if (type === 'put') this.#rows.set(key, value as Uint8Array)
      else this.#rows.delete(key)
      this.onRow(key, type === 'put' ? value : undefined)
      return [key, before] as const
    })
    if (isSynced) this.#unsynced.length = 0
    else this.#unsynced.push(undo)
    // @ts-expect-error: for implementations, and so not in the types
    await super._batch(operations, {})
  }
}
