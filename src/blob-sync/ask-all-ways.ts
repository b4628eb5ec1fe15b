// A peer with several connections may be several nodes: a data folder that was copied and runs
// twice has one identity. What one of them lacks the other may have written, and nobody else has.

import type { BlobItem } from '../../protocols/blobs/parse-request.ts'
import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import { STATUS } from '../../protocols/status.ts'

type OnBlob = (answer: BlobAnswer) => Promise<void>

/**
 * Asks as usual, and for what is missing there over each of the peer's connections in turn, as long
 * as it has more than one; `onBlob` hears that a blob is missing once all of them said so. Throws
 * what `ask` throws.
 */
export async function askAllWays(
  ways: number,
  items: readonly BlobItem[],
  onBlob: OnBlob,
  ask: (items: readonly BlobItem[], onBlob: OnBlob, way?: number) => Promise<void>
): Promise<void> {
  if (ways < 2) return ask(items, onBlob)
  let missing: BlobAnswer[] = []
  const take: OnBlob = async (answer) => {
    if (answer.status === STATUS.MISSING) missing.push(answer)
    else await onBlob(answer)
  }
  await ask(items, take)
  // the usual stream may have been opened on any of them
  for (let way = 0; way < ways && missing.length > 0; way++) {
    const left = missing.map(({ hash, offset }) => ({ hash, offset }))
    missing = []
    await ask(left, take, way)
  }
  for (const answer of missing) await onBlob(answer)
}
