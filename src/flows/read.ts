// An image goes out: path -> entry -> hash -> blob, trusted as long as its file is as it was when
// it was verified.

import { type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { NodeError } from '../base/errors.ts'
import { type OpenBlob, sameStamp } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'
import { verifyBlob } from './verify-blob.ts'

/** The live image of a path; undefined if there never was one. Throws GONE for a deleted one. */
export function findImage(
  { index }: Pick<FlowParts, 'index'>,
  path: ImagePath
): ImageEntry | undefined {
  const entry = index.get(path)
  if (entry === undefined || isImage(entry)) return entry
  throw new NodeError(
    'GONE',
    `${path} was deleted. It can be restored while its bytes are in the trash.`,
    {
      path
    }
  )
}

/** The blob, if its file is as trusted as it was; without waiting. The caller closes it. */
export function openTrusted(
  { index, store, settler }: Pick<FlowParts, 'index' | 'store' | 'settler'>,
  hash: ContentHash
): OpenBlob | undefined {
  const row = index.blob(hash)
  if (row?.state !== 'held' || row.stamp === undefined) return undefined
  const blob = store.open(hash)
  if (blob === undefined) return undefined
  const fresh = settler.freshStamp(hash)
  if (sameStamp(blob.stamp, row.stamp) || (fresh && sameStamp(blob.stamp, fresh))) return blob
  blob.close()
  return undefined
}

/**
 * The blob, verified again if its file is not as it was. The caller closes it. Undefined if no
 * entry names the hash; GONE if only the trash holds it; NOT_AVAILABLE, with the reason, if its
 * bytes are not here or not right.
 */
export async function openBlob(parts: FlowParts, hash: ContentHash): Promise<OpenBlob | undefined> {
  const trusted = openTrusted(parts, hash)
  if (trusted !== undefined) return trusted
  const row = parts.index.blob(hash)
  if (row === undefined) return undefined
  if (row.live === 0) {
    throw new NodeError(
      'GONE',
      'Only the trash holds these bytes. POST /api/restore brings them back.',
      { hash }
    )
  }
  if (row.state === 'trashed') await parts.settler.settleBlob(hash)
  const verdict = await verifyBlob(parts, hash)
  const blob = openTrusted(parts, hash)
  if (blob !== undefined) return blob
  throw new NodeError(
    'NOT_AVAILABLE',
    `The bytes of this image are not here: ${verdict.reason ?? 'they are being moved, try again'}. ` +
      'No other server has them now.',
    { hash }
  )
}
