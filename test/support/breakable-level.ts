// A database in memory whose writes a test can hold up or break, and that loses in a power cut what
// was not synced.

import { MemoryLevel } from 'memory-level'
import type { Database } from '../../src/index/tables.ts'

interface Batch {
  readonly operations: readonly unknown[]
  readonly sync: boolean
}

export class BreakableLevel extends MemoryLevel<string, Uint8Array> {
  readonly #batches: Batch[] = []
  readonly #unseen: Batch[] = []
  #failure: { readonly error: Error; readonly isWritten: boolean } | undefined
  #openError: Error | undefined
  #writing = Promise.withResolvers<void>()
  /** Awaited before and after each batch. */
  pause: () => Promise<void> = async () => {}

  constructor() {
    super({ valueEncoding: 'view' })
  }

  get database(): Database {
    return this as unknown as Database
  }

  get batchesWritten(): number {
    return this.#batches.length
  }

  /**
   * The next batch fails; one that is written all the same, as when only its sync fails, is there
   * after the next opening. Resolves when somebody tries to write it.
   */
  failNext(error: Error, { isWritten = false } = {}): Promise<void> {
    this.#failure = { error, isWritten }
    this.#writing = Promise.withResolvers()
    return this.#writing.promise
  }

  /** The next batch does not fail after all. */
  spareNext(): void {
    this.#failure = undefined
  }

  /** The next opening fails. */
  failOpen(error: Error): void {
    this.#openError = error
  }

  /** What a disk has after a power cut: all that was synced, and `share` of what came after. */
  async afterPowerCut(share: number): Promise<BreakableLevel> {
    const synced = this.#batches.findLastIndex(({ sync }) => sync) + 1
    const kept = synced + Math.floor((this.#batches.length - synced) * share)
    const level = new BreakableLevel()
    await level.open()
    for (const batch of this.#batches.slice(0, kept)) await level.#apply(batch)
    level.#batches.push(...this.#batches.slice(0, kept).map((batch) => ({ ...batch, sync: true })))
    return level
  }

  async _open(options: object): Promise<void> {
    const error = this.#openError
    this.#openError = undefined
    if (error !== undefined) throw error
    // @ts-expect-error: for implementations, and so not in the types
    await super._open(options)
    this.#failure = undefined
    for (const batch of this.#unseen.splice(0)) await this.#apply(batch)
    // opening makes a table of the log, and syncs it
    const last = this.#batches.pop()
    if (last !== undefined) this.#batches.push({ ...last, sync: true })
  }

  /** Closing waits for no batch whose write never ends, as a process that is killed does not. */
  _chainedBatch(): unknown {
    const operations: object[] = []
    return {
      put: (key: string, value: unknown, { sublevel }: { sublevel: object }) => {
        operations.push({ type: 'put', key, value, sublevel })
      },
      del: (key: string, { sublevel }: { sublevel: object }) => {
        operations.push({ type: 'del', key, sublevel })
      },
      write: (options: object) => this.batch(operations as never, options)
    }
  }

  async _batch(operations: readonly unknown[], options: { sync?: boolean }): Promise<void> {
    const failure = this.#failure
    this.#failure = undefined
    this.#writing.resolve()
    await this.pause()
    const batch = { operations: [...operations], sync: failure === undefined && !!options.sync }
    if (failure?.isWritten !== false) this.#batches.push(batch)
    if (failure?.isWritten) this.#unseen.push(batch)
    if (failure === undefined) await this.#apply(batch)
    await this.pause()
    if (failure !== undefined) throw failure.error
  }

  async #apply({ operations }: Batch): Promise<void> {
    // @ts-expect-error: for implementations, and so not in the types
    await super._batch(operations, {})
  }
}
