// What an index that an older program has written needs before this one can use it. One change, so
// that it is whole or has not begun, and at the cost of the records, not of the images.

import { decodeEntry, type Entry, isTombstone, KIND_IMAGE } from '../../protocols/entry.ts'
import { EMPTY_NODE, isSameNode, type TreeNode } from '../../protocols/time-tree-shape.ts'
import type { Layer } from './layer.ts'
import { endOf, entryKey } from './tables.ts'
import { treeKeys } from './time-tree.ts'
import type { Transaction } from './transaction.ts'

/** Rows that are read at a time. */
const PAGE_ROWS = 256

/**
 * In format 1 deleted entries of every kind were the dead ones of the time tree; now only those of
 * images are.
 */
export async function upgradeFrom1(tx: Transaction): Promise<void> {
  const { rows } = tx.ledger
  for await (const entry of entriesOfOtherKinds(rows)) {
    if (entry.deleted && !isTombstone(entry)) callLive(rows, entry)
  }
}

/** Kinds are numbers, so their keys lie on both sides of the images and end before `:`. */
async function* entriesOfOtherKinds(rows: Layer): AsyncGenerator<Entry> {
  const images = entryKey(KIND_IMAGE, '')
  const ranges = [
    { gte: '0', lt: images },
    { gte: endOf(images), lt: ':' }
  ]
  for (const { gte, lt } of ranges) {
    for (let from = gte; ; ) {
      const page = await rows.keys('entry', { gte: from, lt, limit: PAGE_ROWS })
      for (const key of page) yield decodeEntry(rows.get('entry', key) as Uint8Array)
      const last = page.at(-1)
      if (last === undefined) break
      from = `${last}\0`
    }
  }
}

function callLive(rows: Layer, { version, id }: Entry): void {
  const sum = BigInt(`0x${Buffer.from(id).toString('hex')}`)
  for (const key of treeKeys(version)) {
    const before = (rows.get('tree', key) as TreeNode | undefined) ?? EMPTY_NODE
    const { live, dead, liveSum, deadSum } = before
    const node: TreeNode = {
      live: live + 1,
      dead: dead - 1,
      liveSum: BigInt.asUintN(256, liveSum + sum),
      deadSum: BigInt.asUintN(256, deadSum - sum)
    }
    rows.put('tree', key, isSameNode(node, EMPTY_NODE) ? undefined : node)
  }
}
