// A peer asks for blobs: what this node holds, verified as for any reader, and what its trash
// keeps, so that a version can be restored from any server.

import type { Copy } from '../../protocols/blobs/copy.ts'
import type { BlobSource, OpenBlob as ServedBlob } from '../../protocols/blobs/source.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { NodeError } from '../base/errors.ts'
import { type OpenBlob, sameContentStamp } from '../store/blob-store.ts'
import type { FlowParts, ReadableBlob } from './parts.ts'
import { isUnreadable, openBlob, openTrusted } from './read.ts'
import { standingOf } from './standing.ts'
import { verifyBlob } from './verify-blob.ts'

/** How often a peer that waits for a blob is thought of, should it not come from another one. */
const HELD_CHECK_MS = 50

/**
 * Serves from this node's own store alone: what it lacks, the asking peer gets elsewhere. Only what
 * is in its place counts as had.
 */
export function createBlobSource(
  parts: FlowParts,
  copy: (hash: ContentHash) => Promise<Copy> = (hash) => standingOf(parts, hash)
): BlobSource {
  // while the disk is in doubt nobody may count on what it should hold
  const have = (hash: ContentHash) =>
    parts.index.blob(hash)?.state === 'held' &&
    !parts.blocks.has(hash) &&
    parts.brakes.engaged('loss') === undefined &&
    parts.store.isPresent
  return {
    have,
    copy,
    async open(hash) {
      const trusted = openTrusted(parts, hash)
      if (trusted !== undefined) return watched(parts, hash, trusted)
      if (!have(hash)) return openTrashed(parts, hash)
      try {
        const found = await openBlob({ ...parts, remote: undefined }, hash)
        return found && watched(parts, hash, found.blob)
      } catch (error) {
        if (error instanceof NodeError) return undefined
        throw error
      }
    },
    async whenHeld(hash, timeoutMs, broken) {
      const { clock } = parts
      const endMs = clock.monotonicMs() + timeoutMs
      while (!have(hash) && !broken?.aborted) {
        const leftMs = endMs - clock.monotonicMs()
        if (leftMs <= 0) return false
        await mayBeHeld(parts, hash, Math.min(leftMs, HELD_CHECK_MS), broken)
      }
      return have(hash)
    }
  }
}

/** When it has come, after the time, or once nobody waits. */
async function mayBeHeld(
  { clock, settler }: Pick<FlowParts, 'clock' | 'settler'>,
  hash: ContentHash,
  ms: number,
  broken: AbortSignal | undefined
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancelTimer = clock.after(ms, resolve)
  const cancelEnd = settler.arrivals.onEnd(hash, resolve)
  const onBroken = () => resolve()
  broken?.addEventListener('abort', onBroken)
  await promise
  broken?.removeEventListener('abort', onBroken)
  cancelTimer()
  cancelEnd()
}

/** What can't be read is looked at, so that nobody asks for it again. */
function watched(parts: FlowParts, hash: ContentHash, blob: ReadableBlob): ServedBlob {
  const look = (error: unknown) => {
    if (!isUnreadable(error)) return
    verifyBlob(parts, hash).catch((failure) =>
      parts.log.error({ hash, err: failure }, 'a blob that a peer could not read')
    )
  }
  const readInto = (target: Uint8Array, at?: number) => {
    try {
      blob.readInto?.(target, at)
    } catch (error) {
      look(error)
      throw error
    }
  }
  return {
    bytes: blob.bytes,
    close: () => blob.close(),
    // one call for a piece: otherwise each hops to the thread pool, into a buffer of its own
    ...(blob.readInto !== undefined && { readInto }),
    async *read(start, end) {
      try {
        yield* blob.read(start, end)
      } catch (error) {
        look(error)
        throw error
      }
    }
  }
}

/** The blob in the trash, if its file is as it was when it was verified. */
function openTrashed({ index, store, blocks }: FlowParts, hash: ContentHash): OpenBlob | undefined {
  const row = index.blob(hash)
  if (row?.state !== 'trashed' || row.stamp === undefined || blocks.has(hash)) return undefined
  const blob = store.open(hash, 'trash')
  if (blob !== undefined && sameContentStamp(blob.stamp, row.stamp)) return blob
  blob?.close()
  return undefined
}

export interface CountedReads extends BlobSource {
  /** Blobs that were read to their end so far. */
  reads(): number
}

/** The same source, counting. */
export function countReads(source: BlobSource): CountedReads {
  let reads = 0
  return {
    have: (hash) => source.have(hash),
    ...(source.copy !== undefined && { copy: source.copy }),
    whenHeld: (hash, timeoutMs, broken) => source.whenHeld(hash, timeoutMs, broken),
    reads: () => reads,
    async open(hash) {
      const blob = await source.open(hash)
      if (blob === undefined || blob === 'busy') return blob
      return {
        bytes: blob.bytes,
        close: () => blob.close(),
        ...(blob.readInto !== undefined && {
          readInto(target, at = 0) {
            blob.readInto?.(target, at)
            if (at + target.byteLength === blob.bytes) reads++
          }
        }),
        async *read(start, end) {
          yield* blob.read(start, end)
          if (end === blob.bytes) reads++
        }
      }
    }
  }
}
