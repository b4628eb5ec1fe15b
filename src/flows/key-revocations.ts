// Which keys are revoked, whatever their own records say. The newest record of a name counts, and
// a key's may be newer than its revocation: from a clock that is ahead, from a backup, by malice.
// So a revocation has a name of its own, and whatever was ever written there revokes, also what
// deletes it (deletions of records are never forgotten): nothing takes a revocation back, and the
// order in which records come does not matter.

import { KIND_RECORD } from '../../protocols/entry.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { entryKey } from '../index/tables.ts'
import type { Transaction } from '../index/transaction.ts'

export const KEY_PREFIX = 'key/'
const PREFIX = 'key-revoked/'
const ID = /^[0-9a-f]{12}$/
/** Written together, and all in all at one time: members write as many records as they like. */
const GROUP_KEYS = 256
const NOTED_MAX = 10_000

export function isRevoked(index: Pick<ImageIndex, 'isRecordKnown'>, id: string): boolean {
  return index.isRecordKnown(PREFIX + id)
}

/** Before the record of the key goes, so that nobody hears of that alone. */
export function noteRevoked(tx: Transaction, id: string): void {
  if (tx.ledger.rows.get('entry', entryKey(KIND_RECORD, PREFIX + id)) !== undefined) return
  tx.putRecord(PREFIX + id, Buffer.from(JSON.stringify({ revokedMs: tx.nowMs })))
}

/** Keys that nodes of an earlier version delete are revoked by no more than that. */
export async function noteDeletedKeys(index: ImageIndex): Promise<void> {
  const ids: string[] = []
  for await (const { name } of index.deletedRecords(KEY_PREFIX)) {
    const id = name.slice(KEY_PREFIX.length)
    if (ID.test(id) && !isRevoked(index, id)) ids.push(id)
    if (ids.length >= NOTED_MAX) break
  }
  for (let at = 0; at < ids.length; at += GROUP_KEYS) {
    await index.change((tx) => {
      for (const id of ids.slice(at, at + GROUP_KEYS)) noteRevoked(tx, id)
    })
  }
}
