// An image gets another name, or one more: no byte moves.

import { type Entry, type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import type { FlowParts } from './parts.ts'

/**
 * Moves or copies `from` to `to`, both in one change. Errors: NOT_FOUND or GONE for `from`,
 * NAME_TAKEN if `to` holds other bytes, BRAKE_ENGAGED for a move. Repeating a move that has
 * happened is NOT_FOUND or GONE; repeating a copy changes nothing.
 */
export async function relocate(
  { index, settler, journal, brakes }: FlowParts,
  from: ImagePath,
  to: ImagePath,
  how: 'move' | 'copy'
): Promise<Entry> {
  if (how === 'move') brakes.requireChanges()
  const { source, entry } = await index.change((tx) => {
    const source = liveOrThrow(tx.get(from), from)
    const taken = tx.get(to)
    if (isImage(taken) && taken.hash !== source.hash) {
      throw new NodeError(
        'NAME_TAKEN',
        `${to} exists already and holds other bytes. Delete it first, or choose another name.`,
        { path: to, ...saidAs('path_taken', { path: to }) }
      )
    }
    const { hash, md5, bytes, mediaType, width, height, sourceUrl, createdMs } = source
    const about = { hash, md5, bytes, mediaType, width, height, sourceUrl, createdMs }
    const { entry } = tx.putImage({ ...about, path: to })
    if (how === 'move' && from !== to) tx.deleteImage(from)
    return { source, entry }
  })
  await settler.settleBlob(source.hash)
  await settler.settleView(to)
  if (how === 'move') await settler.settleView(from)
  journal.add('added', {
    path: to,
    sha256: source.hash,
    note: how === 'move' ? `moved from ${from}` : `copied from ${from}`
  })
  return entry
}

function liveOrThrow(entry: Entry | undefined, path: ImagePath): ImageEntry {
  if (isImage(entry)) return entry
  if (entry === undefined) throw noImage(path)
  throw new NodeError('GONE', `${path} was deleted. Restore it first.`, {
    path,
    ...saidAs('image_deleted', { path })
  })
}

export function noImage(path: string): NodeError {
  return new NodeError('NOT_FOUND', `There is no image ${path}.`, {
    path,
    ...saidAs('image_absent', { path })
  })
}
