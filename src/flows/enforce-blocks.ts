// What is blocked goes out of sight: its bytes out of blobs/, its files out of images/. What is
// blocked no more comes back, from here or from another node.

import { type Entry, isImage } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import type { FlowParts } from './parts.ts'
import { keepsUnnamed } from './sweep-unnamed.ts'

export type EnforceParts = Pick<
  FlowParts,
  'index' | 'locks' | 'settler' | 'log' | 'blocks' | 'thumbnails'
>

export class BlockEnforcer {
  readonly #parts: EnforceParts
  /** What runs for a hash; one that changes meanwhile is looked at again. */
  readonly #running = new Map<ContentHash, Promise<void>>()
  readonly #again = new Set<ContentHash>()

  constructor(parts: EnforceParts) {
    this.#parts = parts
    const { blocks, index } = parts
    blocks.onChange((hash) => this.#look(hash))
    index.onNews((news) => {
      if (blocks.size > 0) for (const { entry } of news) this.#came(entry)
    })
  }

  /** At start-up: what the last run did not come to. Cheap where there is nothing to do. */
  async enforceAll(): Promise<void> {
    const { blocks, index } = this.#parts
    for (const { hash } of blocks.all()) this.#look(hash)
    await this.idle()
    let others = index.counts().blockedImages
    for (const { hash } of blocks.all()) {
      const row = index.blob(hash)
      if (row?.state === 'blocked') others -= row.live
    }
    // an index that has lost rows may have lost what blocks them
    if (others > 0 && !keepsUnnamed(index)) await this.#releaseAll()
  }

  /** Blobs of which the index says that they are blocked, and nobody else does any more. */
  async #releaseAll(): Promise<void> {
    const { blocks, index } = this.#parts
    for await (const [hash, { state }] of index.blobs()) {
      if (state === 'blocked' && !blocks.has(hash)) this.#look(hash)
    }
    await this.idle()
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }

  #came(entry: Entry): void {
    if (isImage(entry) && this.#parts.blocks.has(entry.hash)) this.#look(entry.hash)
  }

  #look(hash: ContentHash): void {
    if (this.#running.has(hash)) {
      this.#again.add(hash)
      return
    }
    const { log } = this.#parts
    const running = enforce(this.#parts, hash)
      .catch((error) =>
        log.error({ hash, err: error }, 'a block could not be carried out; the next start will')
      )
      .finally(() => {
        this.#running.delete(hash)
        if (this.#again.delete(hash)) this.#look(hash)
      })
    this.#running.set(hash, running)
  }
}

async function enforce(
  { index, locks, settler, blocks, thumbnails }: EnforceParts,
  hash: ContentHash
): Promise<void> {
  const isChanged = await locks.blob.run(hash, async () => {
    const isBlocked = blocks.has(hash)
    const row = index.blob(hash)
    if (row === undefined || (row.state === 'blocked') === isBlocked) return false
    return index.change(async (tx) => {
      const now = tx.blob(hash)
      if (now === undefined) return false
      if (isBlocked) tx.setBlob(hash, { state: 'blocked' })
      else tx.setBlob(hash, { state: now.stamp === undefined ? 'wanted' : 'trashed' })
      await tx.intendViews(hash)
      tx.addIntent('blob', hash)
      return true
    })
  })
  if (!isChanged) return
  if (blocks.has(hash)) thumbnails?.drop(hash)
  await settler.settleBlob(hash)
  await settler.settleViews(hash)
}
