// The rows of the database itself, under all layers.

import { RecentRows } from './recent-rows.ts'
import type { KeyRange, Rows } from './rows-read.ts'
import type { TableName, Tables } from './tables.ts'
import { WrittenKeys } from './written-keys.ts'

/** Tables that are asked for each entry that comes, and most of the time have no such row. */
const ASKED = ['entry', 'blob', 'review', 'past', 'view', 'intent'] as const

/** Tables whose rows nobody changes in place, and that are asked again and again for new images. */
const RECENT = ['entry', 'blob', 'view', 'intent'] as const

export class DatabaseRows implements Rows {
  readonly #tables: Tables
  readonly #written: ReadonlyMap<TableName, WrittenKeys>
  readonly #recent: ReadonlyMap<TableName, RecentRows> = new Map(
    RECENT.map((name) => [name, new RecentRows()])
  )

  constructor(tables: Tables, empty: readonly TableName[]) {
    this.#tables = tables
    this.#written = new Map(empty.map((name) => [name, new WrittenKeys()]))
  }

  get(table: TableName, key: string): unknown {
    const recent = this.#recent.get(table)
    if (recent?.has(key)) return recent.get(key)
    if (this.#written.get(table)?.mayHave(key) === false) return undefined
    const value: unknown = this.#tables[table].getSync(key)
    recent?.set(key, value)
    return value
  }

  keys(table: TableName, range: KeyRange): Promise<string[]> {
    return this.#tables[table].keys(range).all()
  }

  /** Hears of every row before it is written. */
  willHave(table: TableName, key: string): void {
    this.#written.get(table)?.add(key)
  }

  /**
   * Hears of every row before it is written. The rows of one change are there at one moment, which
   * nobody hears of: until `wrote` or `failed` they are read from the database, and from it alone,
   * so that who has seen one of them sees the others, too.
   */
  writes(table: TableName, key: string): void {
    this.#recent.get(table)?.hold(key)
  }

  /** Hears of every row that was written; undefined: it was removed. */
  wrote(table: TableName, key: string, value: unknown): void {
    const recent = this.#recent.get(table)
    recent?.release(key)
    // the bytes of an entry may be a small part of a message, which would be kept with them
    if (table !== 'entry') recent?.set(key, value)
  }

  /** A row of a change that was not written, or may be there all the same. */
  failed(table: TableName, key: string): void {
    this.#recent.get(table)?.release(key)
  }

  /** Nobody knows what was written. */
  doubt(): void {
    for (const rows of this.#recent.values()) rows.clear()
  }
}

/** The rows of a database that nobody else writes to from now on. */
export async function openRows(tables: Tables): Promise<DatabaseRows> {
  const found = await Promise.all(ASKED.map((name) => tables[name].keys({ limit: 1 }).all()))
  return new DatabaseRows(
    tables,
    ASKED.filter((_, at) => found[at]?.length === 0)
  )
}
