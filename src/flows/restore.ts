// A deleted or replaced version comes back: as a new version of its path, with the bytes it had.

import { type Entry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { NodeError } from '../base/errors.ts'
import type { PastVersion } from '../index/rows.ts'
import type { Transaction } from '../index/transaction.ts'
import type { FlowParts } from './parts.ts'

/**
 * Brings back the newest earlier version, or the one with this hash. Errors: NOT_FOUND if none is
 * kept, NOT_AVAILABLE if its bytes are lost. The path's current version, if there is one, becomes a
 * past version itself.
 */
export async function restore(
  parts: FlowParts,
  path: ImagePath,
  hash?: ContentHash
): Promise<{ entry: Entry; outcome: 'restored' | 'unchanged' }> {
  const { index, settler, journal } = parts
  const { entry, outcome, replaced } = await recalled(parts, path, hash, () =>
    index.change((tx) => bringBack(tx, path, hash))
  )
  await settler.settleBlob(entry.hash as ContentHash)
  await settler.settleView(path)
  if (replaced !== undefined) settler.settleBlobLater(replaced)
  if (outcome === 'restored') journal.add('restored', { path, sha256: entry.hash as string })
  return { entry, outcome }
}

/**
 * Runs `task` with the bytes of the version out of the trash: what is damaged there must not take
 * the place of anything.
 */
async function recalled<T>(
  { index, settler, locks }: FlowParts,
  path: ImagePath,
  hash: ContentHash | undefined,
  task: () => Promise<T>
): Promise<T> {
  const [last] = index.image(path) === undefined ? await index.past(path, 1) : []
  const wanted = hash ?? last?.entry.hash
  if (wanted === undefined) return task()
  try {
    return await locks.blob.run(wanted, async () => {
      await settler.recall(wanted)
      return task()
    })
  } finally {
    settler.settleBlobLater(wanted)
  }
}

async function bringBack(
  tx: Transaction,
  path: ImagePath,
  hash: ContentHash | undefined
): Promise<{ entry: Entry; outcome: 'restored' | 'unchanged'; replaced?: ContentHash }> {
  const current = tx.get(path)
  const live = isImage(current) ? current : undefined
  if (live !== undefined && (hash === undefined || hash === live.hash)) {
    return { entry: live, outcome: 'unchanged' }
  }
  const version = await newest(tx, path, hash)
  if (version === undefined) {
    throw new NodeError(
      'NOT_FOUND',
      `No earlier version of ${path}${hash === undefined ? '' : ' with this hash'} is kept here.`,
      { path }
    )
  }
  const old = version.entry
  const state = tx.blob(old.hash as ContentHash)?.state
  if (state !== 'held' && state !== 'trashed') {
    throw new NodeError(
      'NOT_AVAILABLE',
      `The bytes of that version of ${path} are lost here (${state}).`,
      {
        path
      }
    )
  }
  const { md5, bytes, mediaType, width, height, sourceUrl, createdMs } = old
  const { entry } = tx.putImage({
    path,
    hash: old.hash as ContentHash,
    md5: md5 as NonNullable<typeof md5>,
    bytes,
    mediaType,
    width,
    height,
    sourceUrl,
    createdMs
  })
  return { entry, outcome: 'restored', ...(live && { replaced: live.hash }) }
}

async function newest(
  tx: Transaction,
  path: ImagePath,
  hash: ContentHash | undefined
): Promise<PastVersion | undefined> {
  for await (const version of tx.pastOf(path)) {
    if (hash === undefined || version.entry.hash === hash) return version
  }
  return undefined
}
