// Writes down that blobs have come: those that became durable together in one change of the index.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import type { Transaction } from '../index/transaction.ts'
import type { FileStamp } from '../store/blob-store.ts'
import type { FlowParts } from './parts.ts'

/** A change of so many blobs keeps the event loop for some milliseconds. */
const GROUP_MAX = 64

interface Come {
  readonly hash: ContentHash
  readonly stamp: FileStamp
  /** That of an image which may still name it. */
  readonly path: ImagePath | undefined
}

/** What is to be shown then: one path, or those that the index has. */
export type Shown = ImagePath | 'all'

interface Waiting extends Come {
  readonly done: PromiseWithResolvers<Shown>
}

export class RecordHeld {
  readonly #index: FlowParts['index']
  #waiting: Waiting[] = []
  #asked = 0

  constructor({ index }: Pick<FlowParts, 'index'>) {
    this.#index = index
  }

  /** Resolves when it is durable; for whoever holds the lock of the blob. */
  record(come: Come): Promise<Shown> {
    const done = Promise.withResolvers<Shown>()
    this.#waiting.push({ ...come, done })
    if (this.#waiting.length > this.#asked * GROUP_MAX) void this.#write()
    return done.promise
  }

  /** Never rejects. What comes before the queue gets to this change shares it. */
  async #write(): Promise<void> {
    this.#asked++
    let group: readonly Waiting[] = []
    const take = () => {
      if (group.length > 0) return
      this.#asked--
      group = this.#waiting.splice(0, GROUP_MAX)
    }
    try {
      const shown = await this.#index.change(async (tx) => {
        take()
        const all: Shown[] = []
        for (const come of group) all.push(await holdIn(tx, come))
        return all
      })
      for (const [at, { done }] of group.entries()) done.resolve(shown[at] as Shown)
    } catch (error) {
      take()
      for (const { done } of group) done.reject(error)
    }
  }
}

async function holdIn(tx: Transaction, { hash, stamp, path }: Come): Promise<Shown> {
  const row = tx.blob(hash)
  if (row === undefined) return 'all'
  tx.setBlob(hash, { state: 'held', stamp, verifiedAtMs: tx.nowMs })
  if (path !== undefined && row.live === 1 && tx.get(path)?.hash === hash) {
    tx.addIntent('view', path)
    return path
  }
  await tx.intendViews(hash)
  return 'all'
}
