// Rows that are decided but not yet written: a layer over the database, or over another layer.
//
// A change reads its own writes and those of earlier changes in the same batch; a change that fails
// leaves no trace.

import type { DatabaseRows } from './database-rows.ts'
import type { KeyRange, Rows } from './rows-read.ts'
import type { Database, TableName, Tables } from './tables.ts'

/** Where a layer is written to. */
export interface WrittenTo {
  readonly database: Database
  readonly tables: Tables
  readonly rows: DatabaseRows
}

export class Layer implements Rows {
  #below: Rows
  #changed = new Map<TableName, Map<string, unknown>>()

  constructor(below: Rows) {
    this.#below = below
  }

  /** From now on it lies on these rows, which are those of before, written. */
  rest(below: Rows): void {
    this.#below = below
  }

  get(table: TableName, key: string): unknown {
    const rows = this.#changed.get(table)
    return rows?.has(key) ? rows.get(key) : this.#below.get(table, key)
  }

  async keys(table: TableName, range: KeyRange): Promise<string[]> {
    const { gte, lt, limit, reverse = false } = range
    const isIn = (key: string) => compareBytes(gte, key) <= 0 && compareBytes(key, lt) < 0
    const changed = [...(this.#changed.get(table) ?? [])].filter(([key]) => isIn(key))
    const removed = changed.filter(([, value]) => value === undefined).length
    const below = await this.#below.keys(table, { ...range, limit: limit + removed })
    if (changed.length === 0) return below
    const found = new Set(below)
    for (const [key, value] of changed) value === undefined ? found.delete(key) : found.add(key)
    const sorted = [...found].sort(compareBytes)
    return (reverse ? sorted.reverse() : sorted).slice(0, limit)
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

  /** Moves all changes into the layer below, after which this one is of no use. */
  mergeInto(below: Layer): void {
    if (below.#changed.size === 0) {
      below.#changed = this.#changed // most batches are one large change
      return
    }
    for (const [table, rows] of this.#changed) {
      rows.forEach((value, key) => {
        below.put(table, key, value)
      })
    }
  }

  /** Keys of a table that are changed here. */
  changedKeys(table: TableName): Iterable<string> {
    return this.#changed.get(table)?.keys() ?? []
  }

  /** Writes all changes, if there are any, as one. */
  async writeTo(
    { database, tables, rows: below }: WrittenTo,
    { sync }: { sync: boolean }
  ): Promise<void> {
    if (this.#changed.size === 0) return
    // half the cost of the same operations as an array
    const batch = database.batch()
    for (const [name, rows] of this.#changed) {
      const of = { sublevel: tables[name] }
      rows.forEach((value, key) => {
        below.writes(name, key)
        if (value === undefined) batch.del(key, of)
        else {
          below.willHave(name, key)
          batch.put(key, value as Uint8Array, of)
        }
      })
    }
    try {
      await batch.write({ sync } as object)
    } catch (error) {
      this.#forEach((name, key) => below.failed(name, key))
      below.doubt()
      throw error
    }
    this.#forEach((name, key, value) => below.wrote(name, key, value))
  }

  #forEach(row: (name: TableName, key: string, value: unknown) => void): void {
    for (const [name, rows] of this.#changed) {
      rows.forEach((value, key) => {
        row(name, key, value)
      })
    }
  }
}

/** UTF-16 units below it are in the order of their UTF-8 bytes. */
const SURROGATES = 0xd800

/** The order of the database: by UTF-8 bytes, which is by code points and not by UTF-16 units. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let n = 0; n < length; n++) {
    const left = a.charCodeAt(n)
    const right = b.charCodeAt(n)
    if (left === right) continue
    if (left < SURROGATES && right < SURROGATES) return left - right
    return Buffer.compare(Buffer.from(a), Buffer.from(b))
  }
  return a.length - b.length
}
