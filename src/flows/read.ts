// An image goes out: path -> entry -> hash -> blob, trusted as long as its file is as it was when
// it was verified.

import { type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { saidAs } from '../base/cause.ts'
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
    { path, ...saidAs('image_deleted', { path }) }
  )
}

/** The blob, if its file is as trusted as it was; without waiting. The caller closes it. */
export function openTrusted(
  { index, store, settler, blocks }: Pick<FlowParts, 'index' | 'store' | 'settler' | 'blocks'>,
  hash: ContentHash
): OpenBlob | undefined {
  const row = index.blob(hash)
  if (row === undefined || blocks.has(hash)) return undefined
  const isHeld = row.state === 'held' && row.stamp !== undefined
  // what has just come from a peer is right, though it is not held before it is durable
  const fresh = isHeld ? settler.freshStamp(hash) : settler.arrivals.stamp(hash)
  if (!isHeld && (fresh === undefined || row.live === 0)) return undefined
  const blob = openQuietly(store, hash)
  if (blob === undefined) return undefined
  const trusted = isHeld ? [row.stamp, fresh] : [fresh]
  if (trusted.some((stamp) => stamp && sameStamp(blob.stamp, stamp))) return blob
  blob.close()
  return undefined
}

/** A file that can't even be opened is looked at again, and then it has a reason. */
function openQuietly(store: FlowParts['store'], hash: ContentHash): OpenBlob | undefined {
  try {
    return store.open(hash)
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

/** The same, with the bytes of another server wherever the disk fails to give its own. */
export function openReadable(parts: FlowParts, hash: ContentHash): ReadableBlob | undefined {
  const own = openTrusted(parts, hash)
  if (own === undefined) return undefined
  let other: ReadableBlob | undefined
  let isOpen = true
  return {
    bytes: own.bytes,
    stamp: own.stamp,
    readInto: (target, at) => own.readInto(target, at),
    async *read(start, end, buffer) {
      let at = start
      if (other === undefined) {
        try {
          for await (const piece of own.read(start, end, buffer)) {
            at += piece.byteLength
            yield piece
          }
          return
        } catch (error) {
          if (!isUnreadable(error)) throw error
        }
        other = (await openInstead(parts, hash)).blob
        if (!isOpen) other.close()
      }
      yield* other.read(at, end)
    },
    close() {
      isOpen = false
      own.close()
      other?.close()
    }
  }
}

/** The disk did not give bytes that it should have. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof NodeError && error.code === 'DISK_FAULT'
}

/**
 * For a blob that was open and could not be read: reads it again from its beginning, which tells
 * whether it is damaged, and then opens whatever there is. Throws as `openBlob`.
 */
export async function openInstead(parts: FlowParts, hash: ContentHash): Promise<FoundBlob> {
  await verifyHere(parts, hash)
  const found = await openBlob(parts, hash)
  if (found === undefined) throw notAvailable(hash, 'nothing names them any more')
  return found
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
 * BLOCKED if nobody may have it; NOT_AVAILABLE, with the reason, if its bytes are not here or not
 * right, and nobody sends them.
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
  parts.blocks.require(hash)
  const trusted = openTrusted(parts, hash)
  if (trusted !== undefined) return { blob: trusted }
  const row = parts.index.blob(hash)
  if (row === undefined) return undefined
  if (row.live === 0) {
    throw new NodeError(
      'GONE',
      'Only the trash holds these bytes. POST /api/restore brings them back.',
      { hash, ...saidAs('bytes_in_trash') }
    )
  }
  if (row.state === 'trashed') await parts.settler.settleBlob(hash)
  const verdict = await verifyHere(parts, hash)
  const blob = openTrusted(parts, hash)
  if (blob !== undefined) return { blob }
  return { reason: verdict.reason ?? 'they are being moved, try again' }
}

/** Where the disk is not there, nothing can be said of its files, and others may have the bytes. */
async function verifyHere(
  parts: FlowParts,
  hash: ContentHash
): Promise<{ readonly reason?: string | undefined }> {
  try {
    return await verifyBlob({ ...parts, remote: undefined }, hash)
  } catch (error) {
    if (!(error instanceof NodeError) || error.code !== 'READ_ONLY') throw error
    return { reason: 'the disk of this server is gone, or another: is it mounted?' }
  }
}

function notAvailable(hash: ContentHash, reason: string): NodeError {
  const sentence = `The bytes of this image are not here: ${reason}. No other server has them now.`
  return new NodeError('NOT_AVAILABLE', sentence, { hash, ...saidAs('bytes_nowhere') })
}
