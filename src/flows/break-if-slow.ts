// A limit that is set while a large blob comes at full pace holds for what is left of it: the
// transfer is broken off, and goes on where it was on a stream of its own, which is paced.

import type { GrowingBlobs } from '../blob-sync/growing-blob.ts'
import type { WantedBlob } from '../blob-sync/plan-wants.ts'
import type { Traffic } from '../blob-sync/traffic.ts'
import { SMALL_BLOB_BYTES_MAX } from '../store/blob-store.ts'
import { Unneeded } from './take-in.ts'

export interface PaceParts {
  readonly traffic: Pick<Traffic, 'perSecond' | 'isSlow'>
  readonly growing: Pick<GrowingBlobs, 'isAwaited'>
}

/** What limits a blob now: a reader may come for it while it is caught up with. */
export function purposeNow({ growing }: PaceParts, { hash, purpose = 'catch_up' }: WantedBlob) {
  return growing.isAwaited(hash) ? 'reads' : purpose
}

/** Throws Unneeded if what is left of the blob takes longer than a second at its limit. */
export function breakIfSlow(
  parts: PaceParts,
  peerId: string,
  blob: WantedBlob,
  leftBytes: number
): void {
  if (blob.bytes <= SMALL_BLOB_BYTES_MAX) return
  if (!parts.traffic.isSlow(purposeNow(parts, blob), peerId, leftBytes)) return
  throw new Unneeded('a limit has it come more slowly from now on')
}

/** The pieces of `length` bytes, as long as nothing has to pace them. */
export async function* unlessSlow(
  parts: PaceParts,
  peerId: string,
  blob: WantedBlob,
  { body, length }: { readonly body: AsyncIterable<Uint8Array>; readonly length: number }
): AsyncGenerator<Uint8Array> {
  let left = length
  for await (const piece of body) {
    yield piece
    left -= piece.byteLength
    breakIfSlow(parts, peerId, blob, left)
  }
}
