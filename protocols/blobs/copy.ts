// How a node stands to a blob, as it says itself: for a person who asks why it is not there.

import type { MessageInitShape } from '@bufbuild/protobuf'
import { badMessage, checkNumber, checkText, shortened } from '../message.ts'
import { REASON_BYTES_MAX } from '../status.ts'
import { COPY_NAME_BYTES_MAX, COPY_TIME_MS_MAX, COPY_WORD_BYTES_MAX } from './limits.ts'
import type { CopySchema, Copy as Message } from './messages_pb.ts'

export interface Copy {
  /** A word of the table in ../README.md, or one of a later version. */
  readonly state: string
  /** 'damaged' or 'missing' where the node had it once. */
  readonly lost?: string | undefined
  /** When its bytes were read and right, by the clock of who says it. */
  readonly verifiedMs?: number | undefined
  readonly nextTryMs?: number | undefined
  /** Blobs that it fetches before this one. */
  readonly ahead?: number | undefined
  /** Who sends it. */
  readonly from?: string | undefined
  /** More for a person, in one line. */
  readonly reason?: string | undefined
}

export function copyMessage(copy: Copy): MessageInitShape<typeof CopySchema> {
  const time = (ms = 0) => BigInt(Math.round(ms))
  return {
    state: copy.state,
    lost: copy.lost ?? '',
    verifiedMs: time(copy.verifiedMs),
    nextTryMs: time(copy.nextTryMs),
    ahead: copy.ahead ?? 0,
    from: shortened(copy.from ?? '', COPY_NAME_BYTES_MAX),
    reason: shortened(copy.reason ?? '')
  }
}

/** Throws WireError BAD_MESSAGE. */
export function readCopy({ state, lost, from, reason, ...numbers }: Message): Copy {
  return {
    state: checkText('a state', state, COPY_WORD_BYTES_MAX),
    lost: checkText('a loss', lost, COPY_WORD_BYTES_MAX) || undefined,
    verifiedMs: readTime(numbers.verifiedMs),
    nextTryMs: readTime(numbers.nextTryMs),
    ahead: numbers.ahead || undefined,
    from: checkText('a name', from, COPY_NAME_BYTES_MAX) || undefined,
    reason: checkText('a reason', reason, REASON_BYTES_MAX) || undefined
  }
}

function readTime(value: bigint): number | undefined {
  const ms = checkNumber('a time', value)
  if (ms > COPY_TIME_MS_MAX) throw badMessage('a time is impossibly far')
  return ms || undefined
}
