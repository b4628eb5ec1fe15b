// Nodes of the time tree as messages.

import type { MessageInitShape } from '@bufbuild/protobuf'
import { checkLength, checkNumber } from '../message.ts'
import { EMPTY_NODE, type TreeNode } from '../time-tree-shape.ts'
import type { Node as Message, NodeSchema } from './messages_pb.ts'

const SUM_BYTES = 32
const NO_BYTES = new Uint8Array(0)

export function nodeMessage(node: TreeNode): MessageInitShape<typeof NodeSchema> {
  return {
    live: countOf(node.live),
    dead: countOf(node.dead),
    liveSum: sumBytes(node.liveSum),
    deadSum: sumBytes(node.deadSum)
  }
}

/** One that a disk has damaged may be no count. It must not look as if there were nothing. */
function countOf(number: number): bigint {
  return BigInt(number < 0 ? 1 : Math.min(number, Number.MAX_SAFE_INTEGER))
}

/** Throws WireError BAD_MESSAGE. */
export function readNode(message: Message | undefined): TreeNode {
  if (message === undefined) return EMPTY_NODE
  return {
    live: checkNumber('a count', message.live),
    dead: checkNumber('a count', message.dead),
    liveSum: readSum(message.liveSum),
    deadSum: readSum(message.deadSum)
  }
}

function sumBytes(sum: bigint): Uint8Array {
  if (sum === 0n) return NO_BYTES
  return Buffer.from(sum.toString(16).padStart(2 * SUM_BYTES, '0'), 'hex')
}

function readSum(bytes: Uint8Array): bigint {
  if (bytes.byteLength === 0) return 0n
  checkLength('a sum', bytes, SUM_BYTES)
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, SUM_BYTES).toString('hex')}`)
}
