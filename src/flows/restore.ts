// A deleted or replaced version comes back: as a new version of its path, with the bytes it had.

import { type Entry, type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { saidAs } from '../base/cause.ts'
import { NodeError } from '../base/errors.ts'
import { readPast } from '../index/read-entry.ts'
import type { PastVersion } from '../index/rows.ts'
import { entryKey, keys } from '../index/tables.ts'
import type { ImageDraft, Transaction } from '../index/transaction.ts'
import { gatherHistory, silence } from './history.ts'
import { keepStaged } from './keep-staged.ts'
import type { FlowParts } from './parts.ts'

export interface Restored {
  readonly entry: Entry
  readonly outcome: 'restored' | 'unchanged'
}

type Change = Restored & { readonly replaced?: ContentHash | undefined }

/**
 * Brings back the newest earlier version, or the one with this hash; what this node does not keep
 * comes from a member that does. Errors: NOT_FOUND if none is kept, NOT_AVAILABLE if its bytes
 * can't be had. The path's current version, if there is one, becomes a past version itself.
 */
export async function restore(
  parts: FlowParts,
  path: ImagePath,
  hash?: ContentHash
): Promise<Restored> {
  const { index, settler, journal } = parts
  let change: Change
  if (hash !== undefined) parts.blocks.require(hash)
  try {
    const named = hash && (await newestWith(index, path, hash))
    change = await recalled(parts, path, hash, () =>
      index.change((tx) => bringBack(tx, path, hash, named))
    )
  } catch (error) {
    if (parts.remote === undefined || !isAbsence(error)) throw error
    change = await fromElsewhere(parts, path, hash, error)
  }
  const { entry, outcome, replaced } = change
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

/** `named`: the one with the hash, as it was found before. */
async function bringBack(
  tx: Transaction,
  path: ImagePath,
  hash: ContentHash | undefined,
  named: PastVersion | undefined
): Promise<Change> {
  const live = liveOf(tx, path)
  if (live !== undefined && (hash === undefined || hash === live.hash)) {
    return { entry: live, outcome: 'unchanged' }
  }
  const version = hash === undefined ? await newest(tx, path) : named && stillKept(tx, named)
  if (version === undefined) {
    throw new NodeError(
      'NOT_FOUND',
      `No earlier version of ${path}${hash === undefined ? '' : ' with this hash'} is kept here.`,
      { path, ...saidAs('version_absent', { path }) }
    )
  }
  const { entry: old } = version
  const state = tx.blob(old.hash as ContentHash)?.state
  if (state !== 'held' && state !== 'trashed') {
    throw new NodeError(
      'NOT_AVAILABLE',
      `The bytes of that version of ${path} are lost here (${state}).`,
      { path, ...saidAs('version_lost', { path }) }
    )
  }
  const { entry } = tx.putImage(draftOf(old as ImageEntry, path))
  return { entry, outcome: 'restored', replaced: live?.hash }
}

function liveOf(tx: Transaction, path: ImagePath): ImageEntry | undefined {
  const current = tx.get(path)
  return isImage(current) ? current : undefined
}

function draftOf(old: ImageEntry, path: ImagePath): ImageDraft {
  const { hash, md5, bytes, mediaType, width, height, sourceUrl, createdMs } = old
  return { path, hash, md5, bytes, mediaType, width, height, sourceUrl, createdMs }
}

async function newest(tx: Transaction, path: ImagePath): Promise<PastVersion | undefined> {
  for await (const version of tx.pastOf(path)) return version
  return undefined
}

/** Not within a change: a path may have a million versions, and all other changes would wait. */
async function newestWith(
  index: FlowParts['index'],
  path: ImagePath,
  hash: ContentHash
): Promise<PastVersion | undefined> {
  if ((index.blob(hash)?.past ?? 0) === 0) return undefined
  for await (const version of index.pastOf(path)) {
    if (version.entry.hash === hash) return version
  }
  return undefined
}

function stillKept(tx: Transaction, { entry }: PastVersion): PastVersion | undefined {
  const key = keys.past(entryKey(entry.kind, entry.path), entry)
  return readPast(tx.ledger.rows.get('past', key))
}

/** Neither is there anything that a restart or more room would change. */
function isAbsence(error: unknown): error is NodeError {
  return (
    error instanceof NodeError && (error.code === 'NOT_FOUND' || error.code === 'NOT_AVAILABLE')
  )
}

/** The same with what a member keeps. Throws `absence` where none does. */
async function fromElsewhere(
  parts: FlowParts,
  path: ImagePath,
  hash: ContentHash | undefined,
  absence: NodeError
): Promise<Change> {
  const known = await gatherHistory(parts, path)
  const version = known.versions.find(
    ({ entry, on }) =>
      isImage(entry) && on.length > 0 && (hash === undefined || entry.hash === hash)
  )
  const old = version?.entry
  if (version === undefined || !isImage(old)) {
    const also = known.servers.length > 0 ? ' No server that answered keeps it either.' : ''
    const sentence = `${absence.message}${also}${silence(known)}`
    const asked = known.servers.map(({ name }) => name).join(', ')
    const said = asked === '' ? {} : saidAs('version_nowhere', { path, servers: asked })
    throw new NodeError(absence.code, sentence, { ...absence.details, ...said })
  }
  const ids = version.on.map(({ peerId }) => peerId)
  const staged = await parts.remote?.bring(old.hash, old.bytes, ids)
  if (staged === undefined) {
    const names = version.on.map(({ name }) => name)
    const sentence =
      `That version of ${path} is kept on ${names.join(', ')}, but its bytes did not come from ` +
      'there. Restore it on that server: POST /api/restore.'
    throw new NodeError('NOT_AVAILABLE', sentence, {
      path,
      ...saidAs('version_elsewhere', { path, servers: names.join(', ') })
    })
  }
  await parts.scanner?.scan(staged).catch((error) => {
    parts.store.finish(staged)
    throw error
  })
  const done = await keepStaged(parts, staged, (tx) => {
    const live = liveOf(tx, path)
    const { entry, changed } = tx.putImage(draftOf(old, path))
    if (!changed) return { entry, outcome: 'unchanged' as const }
    return { entry, outcome: 'restored' as const, replaced: live?.hash }
  })
  if (done.healed) await parts.settler.settleViews(old.hash)
  return done
}
