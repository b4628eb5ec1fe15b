// Verified blobs of peers become this node's own: readable at once, held when they are durable.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { NodeError } from '../base/errors.ts'
import type { WantBook } from '../blob-sync/want-book.ts'
import type { FileStamp, NamelessBlob } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'
import { RecordHeld } from './record-held.ts'

/** Blobs that have come and are not yet durable: they share the syncs of the disk. */
const KEEPING_MAX = 512
const KEEPING_BYTES_MAX = 64 * 2 ** 20

/** This node can't take blobs now, whoever sends them. */
export function isOwnFault(error: unknown): boolean {
  const codes = ['DISK_FULL', 'DISK_FAULT', 'READ_ONLY', 'BUSY', 'BRAKE_ENGAGED']
  return error instanceof NodeError && codes.includes(error.code)
}

export interface ReplicaKeeperParts {
  readonly flows: FlowParts
  readonly book: WantBook
  /** A path that named the blob when an entry came lately: a look-up less. */
  readonly pathOf?: ((hash: ContentHash) => ImagePath | undefined) | undefined
}

/** Keeps blobs side by side, but not too many. */
export class ReplicaKeeper {
  readonly #parts: ReplicaKeeperParts
  readonly #held: RecordHeld
  readonly #keeping = new Set<Promise<void>>()
  #keepingBytes = 0

  constructor(parts: ReplicaKeeperParts) {
    this.#parts = parts
    this.#held = new RecordHeld(parts.flows)
  }

  /** Resolves when one more may be given. */
  async room(): Promise<void> {
    while (this.#keeping.size >= KEEPING_MAX || this.#keepingBytes > KEEPING_BYTES_MAX) {
      await Promise.race(this.#keeping)
    }
  }

  /** `onEnd` hears whether it is kept. What goes wrong is in the book of wants then. */
  keep(blob: NamelessBlob, onEnd: (kept: boolean) => void): void {
    this.#keepingBytes += blob.bytes
    const keeping = this.#keep(blob).then((kept) => {
      this.#keeping.delete(keeping)
      this.#keepingBytes -= blob.bytes
      onEnd(kept)
    })
    this.#keeping.add(keeping)
  }

  /** Durable when it resolves; false if nothing names the blob any more. It is finished then. */
  async keepNow(blob: NamelessBlob): Promise<boolean> {
    const { flows, book } = this.#parts
    try {
      const kept = await this.#publish(blob)
      if (kept) book.done(blob.hash)
      return kept
    } finally {
      flows.store.finish(blob)
    }
  }

  async idle(): Promise<void> {
    await Promise.all(this.#keeping)
  }

  /** Never rejects. */
  async #keep(blob: NamelessBlob): Promise<boolean> {
    const { flows, book } = this.#parts
    try {
      return await this.keepNow(blob)
    } catch (error) {
      flows.log.error({ hash: blob.hash, err: error }, 'a blob that came could not be kept')
      book.failed(blob.hash, (error as Error).message)
      return false
    }
  }

  async #publish(blob: NamelessBlob): Promise<boolean> {
    const { hash } = blob
    const { flows, pathOf } = this.#parts
    const { index, store, locks, settler, brakes, feed } = flows
    brakes.requireDisk()
    // what is named again while it waits must have been seen, too
    if (!this.#isNamed(hash)) return false
    await flows.scanner?.scanArrived(hash, store.read(blob))
    const shown = await locks.blob.run(hash, async () => {
      if (!this.#isNamed(hash)) return undefined
      const state = index.blob(hash)?.state
      if (state === 'held' || state === 'trashed') return 'nothing'
      const onPlaced = (stamp: FileStamp) => settler.arrivals.note(hash, stamp)
      try {
        const stamp = await store.publish(blob, { isNamed: true, onPlaced })
        return await this.#held.record({ hash, stamp, path: pathOf?.(hash) })
      } finally {
        settler.arrivals.end(hash)
      }
    })
    if (shown === undefined) return false
    if (shown === 'nothing') return true
    // without a path where that would cost a look-up for each blob, whether anybody watches or not
    const path = shown === 'all' ? null : shown
    feed.tell('received', { sha256: hash, path, size: blob.bytes })
    if (shown === 'all') await settler.settleViews(hash)
    else await settler.settleView(shown)
    return true
  }

  #isNamed(hash: ContentHash): boolean {
    const { index, blocks } = this.#parts.flows
    return (index.blob(hash)?.live ?? 0) > 0 && !blocks.has(hash)
  }
}
