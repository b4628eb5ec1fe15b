// The rows of the database itself, under all layers.

import type { KeyRange, Rows } from './layer.ts'
import type { TableName, Tables } from './tables.ts'
import { WrittenKeys } from './written-keys.ts'

/** Tables that are asked for each entry that comes, and most of the time have no such row. */
const ASKED = ['entry', 'blob', 'review', 'past', 'view', 'intent'] as const

export class DatabaseRows implements Rows {
  readonly #tables: Tables
  readonly #written: ReadonlyMap<TableName, WrittenKeys>

  constructor(tables: Tables, empty: readonly TableName[]) {
    this.#tables = tables
    this.#written = new Map(empty.map((name) => [name, new WrittenKeys()]))
  }

  get(table: TableName, key: string): unknown {
    if (this.#written.get(table)?.mayHave(key) === false) return undefined
    return this.#tables[table].getSync(key)
  }

  keys(table: TableName, range: KeyRange): Promise<string[]> {
    return this.#tables[table].keys(range).all()
  }

  /** Hears of every row before it is written. */
  willHave(table: TableName, key: string): void {
    this.#written.get(table)?.add(key)
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
