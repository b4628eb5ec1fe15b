// What is blocked no more is fetched at once, however long ago it was tried in vain.

import type { ContentHash } from '../../protocols/hash.ts'
import { sleep } from '../base/clock.ts'
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
  const lately = new Set<ContentHash>()
  const tryAll = () => {
    for (const hash of lately) book.done(hash)
    wake()
  }
  const tryAgain = async () => {
    for (const ms of AGAIN_MS) {
      await sleep(clock, ms, signal)
      tryAll()
    }
    lately.clear()
  }
  blocks.onChange((hash) => {
    if (signal.aborted || blocks.has(hash)) {
      lately.delete(hash)
      return
    }
    const isFirst = lately.size === 0
    if (lately.size < HASHES_MAX) lately.add(hash)
    book.done(hash)
    wake()
    if (isFirst) tryAgain().catch(() => {}) // the node is stopping
  })
}
