// The time tree: counts and sums of entry hashes over the version order, by which two nodes find
// their differences.
//
// A radix tree over the 48 bits of milliseconds. Its nodes cover everything, 2^32 ms (about 50
// days), 2^24 ms (4.7 hours) and 2^16 ms (65 seconds); what lies below is read from the entries
// themselves. A sum is the sum mod 2^256 of the entries' SHA-256, so that an entry is added and
// taken out in any order at the same cost.

import { type Entry, isTombstone } from '../../protocols/entry.ts'
import { TREE_LEVEL_BITS, type TreeNode, treeKey } from '../../protocols/time-tree-shape.ts'
import { type Version, versionMs } from '../../protocols/version.ts'

export const SUM_BITS = 256
const NODE_BYTES = 8 + 8 + 32 + 32

/** Keys of the nodes that cover a version, root first. */
export function treeKeys(version: Version): string[] {
  const ms = versionMs(version)
  return TREE_LEVEL_BITS.map((_, level) => treeKey(level, ms))
}

/** The node with an entry added. */
export function addToNode(node: TreeNode, entry: Entry): TreeNode {
  const add = (sum: bigint) => BigInt.asUintN(SUM_BITS, sum + sumOf(entry))
  return isTombstone(entry)
    ? { ...node, dead: node.dead + 1, deadSum: add(node.deadSum) }
    : { ...node, live: node.live + 1, liveSum: add(node.liveSum) }
}

/** The sum of two nodes, or what is left of the first without the second (`times` -1). */
export function addNodes(a: TreeNode, b: TreeNode, times: 1 | -1): TreeNode {
  const add = (x: bigint, y: bigint) => BigInt.asUintN(SUM_BITS, times === 1 ? x + y : x - y)
  return {
    live: a.live + times * b.live,
    dead: a.dead + times * b.dead,
    liveSum: add(a.liveSum, b.liveSum),
    deadSum: add(a.deadSum, b.deadSum)
  }
}

/** What an entry adds to a sum. */
export function sumOf({ id }: Entry): bigint {
  const { buffer, byteOffset, byteLength } = id
  return BigInt(`0x${Buffer.from(buffer, byteOffset, byteLength).toString('hex')}`)
}

/**
 * 80 bytes, big-endian: live count, dead count, live sum, dead sum. A damaged node may count below
 * nothing: it goes on being added to like any other, so that what is wrong with it stays the same
 * until the self-check finds it.
 */
function encodeNode(node: TreeNode): Uint8Array {
  const bytes = Buffer.alloc(NODE_BYTES)
  bytes.writeBigInt64BE(BigInt(node.live), 0)
  bytes.writeBigInt64BE(BigInt(node.dead), 8)
  bytes.write(node.liveSum.toString(16).padStart(64, '0'), 16, 'hex')
  bytes.write(node.deadSum.toString(16).padStart(64, '0'), 48, 'hex')
  return bytes
}

function decodeNode(bytes: Uint8Array): TreeNode {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    live: Number(view.readBigInt64BE(0)),
    dead: Number(view.readBigInt64BE(8)),
    liveSum: BigInt(`0x${view.toString('hex', 16, 48)}`),
    deadSum: BigInt(`0x${view.toString('hex', 48, 80)}`)
  }
}

/** How nodes lie in the database: they are read and written whole batches at a time. */
export const NODE_ENCODING = {
  name: 'tree-node',
  format: 'view',
  encode: (node: unknown) => encodeNode(node as TreeNode),
  decode: decodeNode
} as const
