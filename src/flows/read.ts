// An image goes out: path -> entry -> hash -> blob, trusted as long as its file is as it was when
// it was verified.

import { type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { NodeError } from '../base/errors.ts'
import { type OpenBlob, sameStamp } from '../store/blob-store.ts'
import type { FlowParts, ReadableBlob } from './parts.ts'
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

/** A blob that can be read, from wherever. */
export interface FoundBlob {
  readonly blob: ReadableBlob
  /** The name of the server that sends it; undefined where its bytes are here. */
  readonly from?: string | undefined
}

/**
 * The blob, verified again if its file is not as it was, else while it comes from another server.
 * The caller closes it. Undefined if no entry names the hash; GONE if only the trash holds it;
 * NOT_AVAILABLE, with the reason, if its bytes are not here or not right, and nobody sends them.
 */
export async function openBlob(
  parts: FlowParts,
  hash: ContentHash
): Promise<FoundBlob | undefined> {
  const here = await openHere(parts, hash)
  if (here === undefined || here.blob !== undefined) return here
  const remote = await parts.remote?.open(hash)
  if (remote !== undefined) return remote
  const blob = openTrusted(parts, hash) // replication may have been faster
  if (blob !== undefined) return { blob }
  throw notAvailable(hash, here.reason)
}

/** What `openBlob` would find, and what it throws; but no byte comes from another server. */
export async function findBlob(
  parts: FlowParts,
  hash: ContentHash
): Promise<{ bytes: number; from?: string | undefined } | undefined> {
  const here = await openHere(parts, hash)
  here?.blob?.close()
  if (here === undefined || here.blob !== undefined) return here?.blob
  const from = await parts.remote?.find(hash)
  const bytes = parts.index.blob(hash)?.bytes
  if (from !== undefined && bytes !== undefined) return { bytes, from }
  throw notAvailable(hash, here.reason)
}

type Here = { readonly blob: OpenBlob } | { readonly blob?: undefined; readonly reason: string }

async function openHere(parts: FlowParts, hash: ContentHash): Promise<Here | undefined> {
  const trusted = openTrusted(parts, hash)
  if (trusted !== undefined) return { blob: trusted }
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
  const verdict = await verifyBlob({ ...parts, remote: undefined }, hash)
  const blob = openTrusted(parts, hash)
  if (blob !== undefined) return { blob }
  return { reason: verdict.reason ?? 'they are being moved, try again' }
}

function notAvailable(hash: ContentHash, reason: string): NodeError {
  const sentence = `The bytes of this image are not here: ${reason}. No other server has them now.`
  return new NodeError('NOT_AVAILABLE', sentence, { hash })
}
