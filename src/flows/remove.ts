// An image is deleted: its path answers "gone", its bytes go to the trash, or away at once when
// asked to.

import { type Entry, type ImageEntry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Version } from '../../protocols/version.ts'
import type { Transaction } from '../index/transaction.ts'
import type { FlowParts } from './parts.ts'

export interface Removed {
  readonly path: ImagePath
  /**
   * deleted: was live. purged: was deleted already, and its bytes are freed now. unexpected: it is
   * not the one that was meant, and as it was.
   */
  readonly outcome: 'deleted' | 'purged' | 'gone' | 'unknown' | 'unexpected'
  /** Local time until which it can be restored; undefined if it can't. */
  readonly recoverableUntilMs?: number | undefined
  /** Whether other paths name the same bytes, which stay for them. */
  readonly isShared: boolean
}

export interface RemoveOrder {
  /** No earlier version is kept either. */
  readonly purge?: boolean
  /** Whether what is there now, or nothing, is what was meant to be deleted. */
  readonly isMeant?: (image: ImageEntry | undefined) => boolean
}

/** Earlier versions that one change drops: every other change waits for it. */
const GROUP_VERSIONS = 256

/** Deletes one path. Errors: BRAKE_ENGAGED. */
export async function remove(
  parts: FlowParts,
  { trashKeepMs }: { trashKeepMs: number },
  path: ImagePath,
  { purge = false, isMeant = () => true }: RemoveOrder = {}
): Promise<Removed> {
  const { index, settler, journal, brakes } = parts
  brakes.requireChanges()
  const taken = await index.change((tx) => take(tx, path, purge, isMeant))
  const { outcome, freed, entry, until } = taken
  let { dropped } = taken
  while (dropped === GROUP_VERSIONS) {
    dropped = await index.change((tx) => drop(tx, path, until, freed))
  }
  await settler.settleView(path)
  for (const hash of freed) {
    if (purge) await settler.settleBlob(hash)
    else settler.settleBlobLater(hash)
  }
  if (outcome === 'deleted') journal.add('deleted', { path, ...(purge && { note: 'purged' }) })
  const kept = entry !== undefined && !purge
  const own = entry?.hash === undefined ? [...freed] : [entry.hash]
  return {
    ...{ path, outcome },
    recoverableUntilMs: kept ? parts.clock.now() + trashKeepMs : undefined,
    isShared: own.some((hash) => (index.blob(hash)?.live ?? 0) > 0)
  }
}

async function take(
  tx: Transaction,
  path: ImagePath,
  purge: boolean,
  isMeant: NonNullable<RemoveOrder['isMeant']>
): Promise<Taken> {
  const before = tx.get(path)
  const live = isImage(before)
  if ((live || (purge && before !== undefined)) && !isMeant(live ? before : undefined)) {
    return { outcome: 'unexpected', freed: new Set(), entry: undefined, until: 0n, dropped: 0 }
  }
  if (live) tx.deleteImage(path)
  const freed = new Set<ContentHash>(live ? [before.hash] : [])
  const until = purge ? await newestOf(tx, path) : 0n
  const dropped = purge ? await drop(tx, path, until, freed) : 0
  const outcome = live
    ? 'deleted'
    : dropped > 0
      ? 'purged'
      : before === undefined
        ? 'unknown'
        : 'gone'
  return { outcome, freed, entry: live ? before : undefined, until, dropped }
}

/** Of its versions; a deletion may be older than what was put to review before it came. */
async function newestOf(tx: Transaction, path: ImagePath): Promise<Version> {
  const current = tx.get(path)?.version ?? 0n
  for await (const { entry } of tx.pastOf(path)) {
    return entry.version > current ? entry.version : current
  }
  return current
}

interface Taken {
  readonly outcome: Removed['outcome']
  /** What the versions named that went. */
  readonly freed: Set<ContentHash>
  readonly entry: Entry | undefined
  /** Later versions came after the purge. */
  readonly until: Version
  readonly dropped: number
}

/** Drops some earlier versions up to one, and adds what they named to `freed`; how many. */
async function drop(
  tx: Transaction,
  path: ImagePath,
  until: Version,
  freed: Set<ContentHash>
): Promise<number> {
  let count = 0
  for await (const version of tx.pastOf(path)) {
    if (version.entry.version > until) continue
    tx.dropPast(version)
    if (version.entry.hash !== undefined) freed.add(version.entry.hash)
    if (++count === GROUP_VERSIONS) break
  }
  return count
}
