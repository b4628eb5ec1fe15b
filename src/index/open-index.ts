// Opens the index of a data folder: makes a new one, upgrades an older one, refuses a newer one.

import { randomHex } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import { openRows } from './database-rows.ts'
import { ImageIndex } from './image-index.ts'
import type { IndexOptions, IndexParts } from './ports.ts'
import { openTables } from './tables.ts'
import type { Transaction } from './transaction.ts'
import { upgradeFrom1 } from './upgrade.ts'

/**
 * Formats of the database: an older program refuses a newer one. In 1 deleted records counted as
 * dead in the time tree. Up to 2 rows of blobs were JSON and did not name a path; up to 3 rows of
 * versions had keys of entries. Rows that were written then are read as they are.
 */
export const INDEX_FORMAT = 4

/**
 * Opens the index in a database that is open. Errors: FOLDER_FORMAT when a newer program has
 * written it; DISK_FULL or DISK_FAULT when a new one can't be made or an older one not upgraded.
 */
export async function openIndex(parts: IndexParts, options: IndexOptions): Promise<ImageIndex> {
  const tables = await openTables(parts.database)
  const index = new ImageIndex(parts, tables, await openRows(tables), options)
  const format = index.meta('format')
  if (format === undefined) {
    await index.change((tx) => {
      tx.setMeta('format', INDEX_FORMAT)
      begin(tx, parts, options.pastLost)
    })
  } else if (format === 1) {
    await index.change(async (tx) => {
      await upgradeFrom1(tx)
      tx.setMeta('format', INDEX_FORMAT)
    })
  } else if (format === 2 || format === 3) {
    await index.change((tx) => tx.setMeta('format', INDEX_FORMAT))
  } else if (format !== INDEX_FORMAT) {
    throw new NodeError(
      'FOLDER_FORMAT',
      `The index of this data folder has format ${format}; this program knows format ${INDEX_FORMAT}. ` +
        'A newer Tumesh has written it: update this one.',
      { format }
    )
  }
  // what the start needs: better found damaged now
  for await (const _ of index.records(''));
  for await (const _ of index.intents());
  return index
}

/** Others count on nothing that was proved with the database before; nor does this node. */
export function beginAnew(tx: Transaction, parts: Pick<IndexParts, 'random'>): void {
  begin(tx, parts, true)
}

function begin(tx: Transaction, { random }: Pick<IndexParts, 'random'>, pastLost = false): void {
  tx.setMeta('database', randomHex(random, 16))
  if (pastLost) tx.setMeta('pastLost', true)
}
