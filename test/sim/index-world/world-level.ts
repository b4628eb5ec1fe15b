// The disk of an index in a world, in the place of a database: it is slow, fails, dies in the
// middle of a batch, loses in a power cut what was not synced, and is copied at no cost. It tells
// what it holds without being asked through its tables.
//
// A database in memory would do as well, and made worlds a third slower: most of what that one does
// is of no use to an index.

import type { Database } from '../../../src/index/tables.ts'
import {
  type Encoding,
  type Operation,
  type Stored,
  type TableSnapshot,
  WorldBatch,
  WorldTable
} from './world-table.ts'

/** Rows by their whole key: `!`, the table, `!`, the key in it. */
export type Rows = ReadonlyMap<string, Stored>

/** What a batch replaced: takes it back. */
type Undo = readonly (readonly [string, Stored | undefined])[]

export class WorldLevel {
  readonly #tables = new Map<string, WorldTable>()
  /** Of the batches since the last synced one. */
  readonly #unsynced: Undo[] = []
  readonly #unseen: (readonly Operation[])[] = []
  #failure: { readonly error: Error; readonly isWritten: boolean } | undefined
  #isOpen = true
  #isDead = false
  #changes = 0
  /** Awaited before and after each batch. */
  pause: () => Promise<void> | undefined = () => undefined
  /** Hears of each row that changes. */
  onRow: (key: string, value: Stored | undefined) => void = () => {}

  /** One that holds these rows. */
  constructor(rows: Rows = new Map()) {
    for (const [key, value] of rows) {
      const end = key.indexOf('!', 1)
      this.#table(key.slice(1, end)).set(key.slice(end + 1), value)
    }
  }

  // What an index asks for.

  get database(): Database {
    return this as unknown as Database
  }

  sublevel(name: string, { valueEncoding }: { valueEncoding: Encoding }): WorldTable {
    const table = this.#table(name)
    table.encoding = valueEncoding
    return table
  }

  batch(): WorldBatch {
    return new WorldBatch((operations, isSynced) => this.#write(operations, isSynced))
  }

  snapshot(): TableSnapshot & { close(): Promise<void> } {
    const shared = [...this.#tables.values()].map((table) => [table, table.share()] as const)
    return Object.assign(new Map(shared), { close: async () => {} })
  }

  async open(): Promise<void> {
    this.#isOpen = true
    for (const operations of this.#unseen.splice(0)) this.#apply(operations, true)
  }

  async close(): Promise<void> {
    this.#isOpen = false
  }

  // What happens to it.

  get rows(): Map<string, Stored> {
    const rows = new Map<string, Stored>()
    for (const table of this.#tables.values()) {
      for (const [key, value] of table.rows()) rows.set(wholeKey(table, key), value)
    }
    return rows
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
    const { rows } = this
    const kept = Math.floor(this.#unsynced.length * share)
    for (const undo of this.#unsynced.slice(kept).reverse()) {
      for (const [key, value] of undo) value === undefined ? rows.delete(key) : rows.set(key, value)
    }
    return rows
  }

  #table(name: string): WorldTable {
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = new WorldTable(name, () => this.#requireOpen())
      this.#tables.set(name, table)
    }
    return table
  }

  #requireOpen(): void {
    if (this.#isOpen) return
    throw Object.assign(new Error('the database is not open'), { code: 'LEVEL_DATABASE_NOT_OPEN' })
  }

  async #write(operations: readonly Operation[], isSynced: boolean): Promise<void> {
    this.#requireOpen()
    const failure = this.#failure
    this.#failure = undefined
    await this.pause()
    if (this.#isDead) await new Promise(() => {})
    if (failure?.isWritten) this.#unseen.push(operations)
    if (failure === undefined) this.#apply(operations, isSynced)
    await this.pause()
    if (this.#isDead) await new Promise(() => {})
    if (failure !== undefined) throw failure.error
  }

  #apply(operations: readonly Operation[], isSynced: boolean): void {
    this.#changes++
    const undo = operations.map(({ table, key, value }) => {
      const name = wholeKey(table, key)
      const before = table.set(key, value)
      this.onRow(name, value)
      return [name, before] as const
    })
    if (isSynced) this.#unsynced.length = 0
    else this.#unsynced.push(undo)
  }
}

function wholeKey({ name }: WorldTable, key: string): string {
  return `!${name}!${key}`
}
