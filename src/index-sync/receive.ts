// One entry of another node, as a change of the index takes it.

import type { Entry } from '../../protocols/entry.ts'
import { WireError } from '../../protocols/wire-error.ts'
import type { Transaction } from '../index/transaction.ts'

/**
 * What is here of one path may have been damaged by the disk and be unreadable: the self-check
 * tells of it, and it keeps no other entries out.
 */
export function receive(
  tx: Transaction,
  entry: Entry,
  from: string
): ReturnType<Transaction['receive']> {
  try {
    return tx.receive(entry, from)
  } catch (error) {
    if (error instanceof WireError) return 'known'
    throw error
  }
}
