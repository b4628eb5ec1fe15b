// What is blocked no more is fetched at once, however long ago it was tried in vain.

import type { ContentHash } from '../../protocols/hash.ts'
import type { WantBook } from '../blob-sync/want-book.ts'
import type { FlowParts } from './parts.ts'

export interface FollowUnblocksParts {
  readonly flows: Pick<FlowParts, 'blocks' | 'clock'>
  readonly book: Pick<WantBook, 'done'>
  /** Has the node look for what to fetch. */
  readonly wake: () => void
  /** Ends it. */
  readonly signal: AbortSignal
}

/** Others hear of it a moment later, and say until then that they lack the blob. */
const AGAIN_MS = [500, 1500, 3000] as const
/** Hashes that are tried so often; others wait for their next try. */
const HASHES_MAX = 1000

export function followUnblocks({ flows, book, wake, signal }: FollowUnblocksParts): void {
  const { blocks, clock } = flows
  /** Of each hash what calls its next try off. */
  const tries = new Map<ContentHash, () => void>()
  const tryNow = (hash: ContentHash) => {
    book.done(hash)
    wake()
  }
  const tryAfter = (hash: ContentHash, [ms, ...later]: readonly number[]) => {
    tries.delete(hash)
    if (ms === undefined) return
    const again = () => {
      tryNow(hash)
      tryAfter(hash, later)
    }
    tries.set(hash, clock.after(ms, again))
  }
  signal.addEventListener('abort', () => {
    for (const cancel of tries.values()) cancel()
    tries.clear()
  })
  blocks.onChange((hash) => {
    tries.get(hash)?.()
    tries.delete(hash)
    if (signal.aborted || blocks.has(hash)) return
    tryNow(hash)
    if (tries.size < HASHES_MAX) tryAfter(hash, AGAIN_MS)
  })
}
