// Entries of another node, as a change of the index takes them.

import type { Entry } from '../../protocols/entry.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { WireError } from '../../protocols/wire-error.ts'
import type { Transaction } from '../index/transaction.ts'

export interface Received {
  /** Those that are current now. */
  readonly merged: readonly Entry[]
  /** Those that are no news, because they are here or something newer is. */
  readonly known: readonly Entry[]
  /** Those that may have been deleted and forgotten here. */
  readonly review: readonly Entry[]
  /** What deletes others of them here. */
  readonly deletions: readonly Entry[]
  /** Whether there were some that nothing could replace. */
  readonly isRefused: boolean
}

export function receive(tx: Transaction, entries: readonly Entry[], from: string): Received {
  const outcomes = entries.map((entry) => receiveOne(tx, entry, from))
  const those = (what: Outcome) => entries.filter((_, at) => outcomes[at] === what)
  return {
    merged: those('merged'),
    known: those('known'),
    review: those('review'),
    deletions: those('deleted').flatMap((entry) => tx.get(entry.path as ImagePath) ?? []),
    isRefused: outcomes.includes('refused')
  }
}

type Outcome = ReturnType<Transaction['receive']>

/**
 * What is here of one path may have been damaged by the disk and be unreadable: the self-check
 * tells of it, and it keeps no other entries out.
 */
function receiveOne(tx: Transaction, entry: Entry, from: string): Outcome {
  try {
    return tx.receive(entry, from)
  } catch (error) {
    if (error instanceof WireError) return 'known'
    throw error
  }
}
