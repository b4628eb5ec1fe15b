// A large blob at a limit: its bytes are read no faster than the limit lets them come, and the
// sender waits.

import type { BlobAnswer } from '../../protocols/blobs/request.ts'
import { type Clock, sleep } from '../base/clock.ts'
import { RateBucket } from '../base/rate-bucket.ts'
import { passedBytes } from './charge.ts'

/** The limit may be another after so long, or a reader may wait by then. */
const LOOK_MS = 500

/**
 * The pieces of a body of `length` bytes. `perSecond`: what may come a second now, packed where it
 * is; undefined: as much as can.
 */
export async function* paced(
  { body, length, saved }: Pick<BlobAnswer, 'body' | 'length' | 'saved'>,
  perSecond: () => number | undefined,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }
): AsyncGenerator<Uint8Array> {
  const bucket = new RateBucket(clock, perSecond())
  const waitMs = () => {
    bucket.perSecond = perSecond()
    return Math.min(bucket.waitMs, LOOK_MS)
  }
  const passedOf = passedBytes({ ...(saved && { saved }) })
  let left = length
  for await (const piece of body) {
    yield piece
    left -= piece.byteLength
    if (left <= 0) continue
    bucket.take(passedOf(piece))
    for (let ms = waitMs(); ms > 0; ms = waitMs()) await sleep(clock, ms, signal)
  }
}
