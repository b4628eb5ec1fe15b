// Reads the requests of /tumesh/blobs/1 from outside.

import { type ContentHash, hashFromBytes } from '../hash.ts'
import { badMessage, checkCount, checkNumber, parseMessage } from '../message.ts'
import { HELD_TIMEOUT_MS_MAX, ITEMS_MAX } from './limits.ts'
import { RequestSchema } from './messages_pb.ts'

/** The bytes of a blob from an offset to its end. */
export interface BlobItem {
  readonly hash: ContentHash
  /** Bytes that the asking side has already. */
  readonly offset: number
}

export type BlobsRequest =
  | {
      readonly kind: 'fetch'
      readonly items: readonly BlobItem[]
      /** A bit for each way to pack that the asking side knows. */
      readonly packings: number
    }
  | {
      readonly kind: 'have'
      readonly hashes: readonly ContentHash[]
      /** Whether more is asked of the first of them. */
      readonly explain: boolean
    }
  | { readonly kind: 'held'; readonly hash: ContentHash; readonly timeoutMs: number }

/** Throws WireError, also for a request of a kind that this version does not know. */
export function parseRequest(frame: Uint8Array): BlobsRequest {
  const { kind } = parseMessage(RequestSchema, frame)
  switch (kind.case) {
    case 'fetch': {
      const { items, packings } = kind.value
      checkCount('items', items.length, ITEMS_MAX)
      const read = items.map(({ hash, offset }) => ({
        hash: hashFromBytes(hash),
        offset: checkNumber('an offset', offset)
      }))
      return { kind: 'fetch', items: read, packings }
    }
    case 'have': {
      const { hashes, explain } = kind.value
      checkCount('hashes', hashes.length, ITEMS_MAX)
      return { kind: 'have', hashes: hashes.map(hashFromBytes), explain }
    }
    case 'held': {
      const { hash, timeoutMs } = kind.value
      if (timeoutMs > HELD_TIMEOUT_MS_MAX) {
        throw badMessage(`nobody waits longer than ${HELD_TIMEOUT_MS_MAX} ms`)
      }
      return { kind: 'held', hash: hashFromBytes(hash), timeoutMs }
    }
    case undefined:
      throw badMessage('this node knows no such request')
  }
}
