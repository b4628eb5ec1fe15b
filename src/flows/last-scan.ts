// What the last verification of everything found, for the status. Kept in the index, so that a
// restart remembers it.

import type { FlowParts } from './parts.ts'

export interface LastScan {
  /** When it ended. */
  readonly atMs: number
  readonly scannedFiles: number
  readonly corruptedFiles: number
  readonly repairedFiles: number
  readonly unrepairableFiles: number
}

const NAME = 'lastScan'

export function lastScan({ index }: Pick<FlowParts, 'index'>): LastScan | undefined {
  return index.meta(NAME) as LastScan | undefined
}

export function recordScan({ index }: Pick<FlowParts, 'index'>, scan: LastScan): Promise<void> {
  return index.change((tx) => tx.setMeta(NAME, scan), { durable: false })
}
