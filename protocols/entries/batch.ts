// Lists of entries as they travel: cut into batches by their sender, read by their receiver.

import { decodeEntry, type Entry } from '../entry.ts'
import { WireError } from '../wire-error.ts'
import { BATCH_BYTES, BATCH_ENTRIES_MAX, HISTORY_PAST_MAX, PAGE_BYTES } from './limits.ts'

export interface Bounds {
  readonly entriesMax: number
  /** The entry that reaches this many bytes is the last. */
  readonly bytes: number
}

/** Past entries of one path, of which an answer tells the newest. */
export const HISTORY: Bounds = { entriesMax: HISTORY_PAST_MAX, bytes: PAGE_BYTES }
const BATCH: Bounds = { entriesMax: BATCH_ENTRIES_MAX, bytes: BATCH_BYTES }

/** Whether a list of entries takes no more. */
export function isFull(entries: readonly Uint8Array[], bytes: number, bounds: Bounds): boolean {
  return entries.length >= bounds.entriesMax || bytes >= bounds.bytes
}

/** Cuts entries, in their order, into batches that one push may hold. */
export function* batchesOf(entries: Iterable<Uint8Array>): Generator<readonly Uint8Array[]> {
  let batch: Uint8Array[] = []
  let bytes = 0
  for (const entry of entries) {
    batch.push(entry)
    bytes += entry.byteLength
    if (!isFull(batch, bytes, BATCH)) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

/** As many of the first entries as one message may hold beside what else it says. */
export function firstBatchOf(entries: readonly Entry[]): readonly Entry[] {
  const [batch = []] = batchesOf(entries.map(({ raw }) => raw))
  return entries.slice(0, batch.length)
}

export interface ReadEntries {
  readonly entries: readonly Entry[]
  /** How many could not be read and are left out: one must not keep the others back. */
  readonly malformed: number
}

export function readEntries(raws: readonly Uint8Array[]): ReadEntries {
  const entries: Entry[] = []
  for (const raw of raws) {
    try {
      entries.push(decodeEntry(raw))
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  }
  return { entries, malformed: raws.length - entries.length }
}
