// The shape of the time tree, on which two nodes must agree to compare theirs: a radix tree over
// the 48 bits of milliseconds of a version, and the names of its nodes.

import { type Version, versionAt, versionMs } from './version.ts'
import { WireError } from './wire-error.ts'

/**
 * How many low bits of the milliseconds a node of each level covers: everything, 2^32 ms (about 50
 * days), 2^24 ms (4.7 hours), 2^16 ms (65 seconds).
 */
export const TREE_LEVEL_BITS = [48, 32, 24, 16] as const
export const LEAF_LEVEL = TREE_LEVEL_BITS.length - 1

/** A node of the tree: its level, then the upper bits of the milliseconds in 8 hex digits. */
export type TreeKey = string
export const ROOT_KEY: TreeKey = '000000000'

/**
 * Counts of entries below a node, and sums mod 2^256 of their SHA-256: tombstones of images, which
 * may be collected, are the dead ones, and all other entries the live ones.
 */
export interface TreeNode {
  readonly live: number
  readonly dead: number
  readonly liveSum: bigint
  readonly deadSum: bigint
}

export const EMPTY_NODE: TreeNode = { live: 0, dead: 0, liveSum: 0n, deadSum: 0n }

export function isEmptyNode(node: TreeNode): boolean {
  return node.live === 0 && node.dead === 0
}

export function isSameNode(a: TreeNode, b: TreeNode): boolean {
  return (
    a.live === b.live && a.dead === b.dead && a.liveSum === b.liveSum && a.deadSum === b.deadSum
  )
}

/** The node of a level that covers a time. */
export function treeKey(level: number, ms: number): TreeKey {
  return keyOf(level, level === 0 ? 0 : Math.floor(ms / 2 ** bitsOf(level)))
}

/** Throws WireError BAD_MESSAGE. */
export function parseTreeKey(text: string): TreeKey {
  if (/^[0-3][0-9a-f]{8}$/.test(text) && upperOf(text) < 2 ** (bitsOf(0) - bitsOf(levelOf(text)))) {
    return text
  }
  throw new WireError(
    'BAD_MESSAGE',
    `no node of the time tree: ${JSON.stringify(text.slice(0, 20))}`
  )
}

/** The last bucket of 65 s, a node of the lowest level, that a version can lie in. */
export const BUCKET_MAX = 2 ** 32 - 1
const BUCKET_BITS = 16

/** The bucket of a version. */
export function bucketOf(version: Version): number {
  return bucketAt(versionMs(version))
}

/** The bucket of a time in milliseconds since 1970. */
export function bucketAt(ms: number): number {
  return Math.min(Math.floor(Math.max(0, ms) / 2 ** BUCKET_BITS), BUCKET_MAX)
}

/** When a bucket begins. */
export function bucketStartMs(bucket: number): number {
  return bucket * 2 ** BUCKET_BITS
}

export function levelOf(key: TreeKey): number {
  return Number(key.charAt(0))
}

/** How many children a node may have; 0 in the lowest level. */
export function childrenMax(key: TreeKey): number {
  const level = levelOf(key)
  return level === LEAF_LEVEL ? 0 : 2 ** (bitsOf(level) - bitsOf(level + 1))
}

export function childKey(key: TreeKey, index: number): TreeKey {
  return keyOf(levelOf(key) + 1, upperOf(key) * childrenMax(key) + index)
}

/** The place of a node among its parent's children. */
export function childIndex(key: TreeKey): number {
  const level = levelOf(key)
  return level === 0 ? 0 : upperOf(key) % 2 ** (bitsOf(level - 1) - bitsOf(level))
}

/** The versions that a node covers: from the first (inclusive) to the end (exclusive). */
export function versionsOf(key: TreeKey): { readonly first: Version; readonly end: Version } {
  const span = 2 ** bitsOf(levelOf(key))
  const fromMs = upperOf(key) * span
  return { first: versionAt(fromMs), end: versionAt(fromMs + span) }
}

function keyOf(level: number, upper: number): TreeKey {
  return `${level}${upper.toString(16).padStart(8, '0')}`
}

function upperOf(key: TreeKey): number {
  return Number.parseInt(key.slice(1), 16)
}

function bitsOf(level: number): number {
  return TREE_LEVEL_BITS[level] as number
}
