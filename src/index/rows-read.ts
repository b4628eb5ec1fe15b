// How rows of the index are read, wherever they lie.

import type { TableName } from './tables.ts'

export interface KeyRange {
  readonly gte: string
  readonly lt: string
  readonly limit: number
  /** From the end. */
  readonly reverse?: boolean
}

export interface Rows {
  get(table: TableName, key: string): unknown
  /** In order, or from the last one back. */
  keys(table: TableName, range: KeyRange): Promise<string[]>
}
