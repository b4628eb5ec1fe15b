// Verified blobs of peers become this node's own.

import { NodeError } from '../base/errors.ts'
import type { WantBook } from '../blob-sync/want-book.ts'
import type { NamelessBlob } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'
import { PATHS_MAX } from './settle.ts'

/** Blobs that have come and are not yet durable: they share the syncs of the disk. */
const KEEPING_MAX = 64
const KEEPING_BYTES_MAX = 32 * 2 ** 20

/** Durable when it resolves; false if nothing names the blob any more. */
export async function keepReplica(
  { index, store, locks, settler, brakes, feed }: FlowParts,
  blob: NamelessBlob
): Promise<boolean> {
  const { hash } = blob
  brakes.requireDisk()
  const kept = await locks.blob.run(hash, async () => {
    const row = index.blob(hash)
    if (row === undefined || row.live === 0) return false
    if (row.state === 'held' || row.state === 'trashed') return true
    const stamp = await store.publish(blob)
    // Read ahead: within the change it would keep all others waiting, blob after blob. A path that
    // names the blob from here on has its own intent, and settling that waits for this lock.
    const paths = await index.pathsOf(hash, PATHS_MAX)
    await index.change((tx) => {
      if (tx.blob(hash) === undefined) return
      tx.setBlob(hash, { state: 'held', stamp, verifiedAtMs: tx.nowMs })
      for (const path of paths) if (tx.get(path)?.hash === hash) tx.addIntent('view', path)
    })
    feed.tell('received', { sha256: hash, path: paths[0] ?? null, size: blob.bytes })
    return true
  })
  if (kept) await settler.settleViews(hash)
  return kept
}

/** This node can't take blobs now, whoever sends them. */
export function isOwnFault(error: unknown): boolean {
  const codes = ['DISK_FULL', 'DISK_FAULT', 'READ_ONLY', 'BUSY', 'BRAKE_ENGAGED']
  return error instanceof NodeError && codes.includes(error.code)
}

/** Keeps blobs side by side, but not too many. */
export class ReplicaKeeper {
  readonly #flows: FlowParts
  readonly #book: WantBook
  readonly #keeping = new Map<Promise<void>, number>()

  constructor({ flows, book }: { readonly flows: FlowParts; readonly book: WantBook }) {
    this.#flows = flows
    this.#book = book
  }

  /** Resolves when one more may be given. */
  async room(): Promise<void> {
    const bytes = () => [...this.#keeping.values()].reduce((sum, one) => sum + one, 0)
    while (this.#keeping.size >= KEEPING_MAX || bytes() > KEEPING_BYTES_MAX) {
      await Promise.race(this.#keeping.keys())
    }
  }

  /** `onEnd` hears whether it is kept. What goes wrong is in the book of wants then. */
  keep(blob: NamelessBlob, onEnd: (kept: boolean) => void): void {
    const keeping = this.#keep(blob).then((kept) => {
      this.#keeping.delete(keeping)
      onEnd(kept)
    })
    this.#keeping.set(keeping, blob.bytes)
  }

  async idle(): Promise<void> {
    await Promise.all(this.#keeping.keys())
  }

  /** Never rejects. */
  async #keep(blob: NamelessBlob): Promise<boolean> {
    const { log, store } = this.#flows
    try {
      const kept = await keepReplica(this.#flows, blob)
      if (kept) this.#book.done(blob.hash)
      return kept
    } catch (error) {
      log.error({ hash: blob.hash, err: error }, 'a blob that came could not be kept')
      this.#book.failed(blob.hash, (error as Error).message)
      return false
    } finally {
      store.finish(blob)
    }
  }
}
