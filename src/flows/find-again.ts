// Bytes that were lost and are there after all: a disk was not mounted, a folder was moved away.

import type { FlowParts } from './parts.ts'
import { verifyBlob } from './verify-blob.ts'

/** Blobs that are lacking but have a file are read, and held again if they are right; how many. */
export async function findAgain(parts: FlowParts, signal: AbortSignal): Promise<number> {
  const { index, store, locks } = parts
  let found = 0
  for await (const hash of index.wants()) {
    if (signal.aborted) break
    // of an image that was deleted, as an index knew that was lost
    if (store.placeOf(hash) === 'trash') {
      await locks.blob.run(hash, async () => {
        if (index.blob(hash)?.want !== undefined) await store.moveTo(hash, 'blobs')
      })
    }
    if (store.placeOf(hash) !== 'blobs') continue
    if ((await verifyBlob(parts, hash, signal)).state === 'held') found++
  }
  return found
}

/** Ends a brake for lost blobs once those that it was for are there again. */
export async function releaseIfBack(parts: FlowParts, signal: AbortSignal): Promise<void> {
  const { brakes, store, log } = parts
  const brake = brakes.engaged('loss')
  const samples = brake?.samples ?? []
  if (samples.length === 0 || !samples.every((hash) => store.placeOf(hash) === 'blobs')) return
  await brakes.release('loss', { how: 'back' })
  const found = await findAgain(parts, signal)
  log.info({ found }, 'the files of the images are back on the disk: it goes on')
}
