// Rows that are decided but not yet written: a layer over the database, or over another layer.
//
// A change reads its own writes and those of earlier changes in the same batch; a change that fails leaves no trace.

import { endOf, type Operation, type TableName, type Tables } from './tables.ts'

export interface Rows {
  get(table: TableName, key: string): unknown
  /** Up to `limit` keys that start with `prefix`, in order. */
  keys(table: TableName, prefix: string, limit: number): Promise<string[]>
}

export function databaseRows(tables: Tables): Rows {
  return {
    get: (table, key) => tables[table].getSync(key),
    keys: (table, prefix, limit) =>
      tables[table].keys({ gte: prefix, lt: endOf(prefix), limit }).all()
  }
}

export class Layer implements Rows {
  readonly #below: Rows
  readonly #changed = new Map<TableName, Map<string, unknown>>()

  constructor(below: Rows) {
    this.#below = below
  }

  get(table: TableName, key: string): unknown {
    const rows = this.#changed.get(table)
    return rows?.has(key) ? rows.get(key) : this.#below.get(table, key)
  }

  async keys(table: TableName, prefix: string, limit: number): Promise<string[]> {
    const changed = [...(this.#changed.get(table) ?? [])].filter(([key]) => key.startsWith(prefix))
    const removed = changed.filter(([, value]) => value === undefined).length
    const found = new Set(await this.#below.keys(table, prefix, limit + removed))
    for (const [key, value] of changed) value === undefined ? found.delete(key) : found.add(key)
    return [...found].sort(compareBytes).slice(0, limit)
  }

  /** `value` undefined removes the row. */
  put(table: TableName, key: string, value: unknown): void {
    let rows = this.#changed.get(table)
    if (rows === undefined) {
      rows = new Map()
      this.#changed.set(table, rows)
    }
    rows.set(key, value)
  }

  /** Moves all changes into the layer below. */
  mergeInto(below: Layer): void {
    for (const [table, rows] of this.#changed) {
      for (const [key, value] of rows) below.put(table, key, value)
    }
  }

  operations(tables: Tables): Operation[] {
    const operations: Operation[] = []
    for (const [name, rows] of this.#changed) {
      const sublevel = tables[name]
      for (const [key, value] of rows) {
        operations.push(
          value === undefined
            ? { type: 'del', sublevel, key }
            : { type: 'put', sublevel, key, value }
        )
      }
    }
    return operations
  }
}

/** The order of the database: by UTF-8 bytes, which is by code points and not by UTF-16 units. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
