// Moves entries in both directions during an exchange, in batches.

import type { Entry } from '../entry.ts'
import { batchesOf } from './batch.ts'
import type { EntryRef } from './entry-ref.ts'
import type { EntriesClient } from './request.ts'
import type { ComparedEntries, ExchangedEntries } from './source.ts'

/** One is written, the next ones are decided or on their way, and share what that costs. */
const MOVES_MAX = 4

export class Transfer {
  /** Entries that came. */
  readonly take: Entry[] = []
  /** Entries to be asked for. */
  readonly ask: EntryRef[] = []
  /** Entries to be handed over. */
  readonly give: EntryRef[] = []
  received = 0
  sent = 0
  malformed = 0
  readonly #local: ExchangedEntries
  readonly #compared: ComparedEntries
  readonly #remote: EntriesClient
  readonly #signal: AbortSignal
  /** What is on its way or not written yet, oldest first: meanwhile older places are looked at. */
  readonly #moving: Promise<void>[] = []
  /** Resolves when the last of it has come. */
  #come: Promise<unknown> = Promise.resolve()
  /** What came last takes the place of other entries. */
  #replacing = false

  constructor(
    local: ExchangedEntries,
    compared: ComparedEntries,
    remote: EntriesClient,
    signal: AbortSignal
  ) {
    this.#local = local
    this.#compared = compared
    this.#remote = remote
    this.#signal = signal
  }

  /** Moves what waits, if that is `count` entries or more, which may still be merged then. */
  async flush(count: number): Promise<boolean> {
    if (this.take.length + this.ask.length + this.give.length < count) return false
    this.#signal.throwIfAborted()
    await this.#receive()
    await this.#send()
    return true
  }

  /**
   * The same before older places are looked at: where what came last takes the place of others, it
   * may have emptied these, so it resolves once all is merged.
   */
  async settled(count: number): Promise<void> {
    await this.flush(count)
    if (this.#replacing) await this.#moved()
  }

  /** Moves all that waits, and resolves once it is merged. */
  async finish(): Promise<void> {
    await this.flush(1)
    await this.#moved()
  }

  /** Resolves when nothing is being merged any more, however that ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#moving)
  }

  async #moved(): Promise<void> {
    await Promise.all(this.#moving)
    this.#moving.length = 0
  }

  async #receive(): Promise<void> {
    const asked = this.ask.splice(0)
    const taken = this.take.splice(0)
    if (asked.length + taken.length === 0) return
    if (this.#moving.length === MOVES_MAX) {
      await this.#moving[0]
      this.#moving.shift()
    }
    const moving = this.#move(asked, taken)
    moving.catch(() => {}) // it is thrown where it is waited for
    this.#moving.push(moving)
  }

  /** Merged in the order in which they are asked for. */
  async #move(asked: readonly EntryRef[], taken: Entry[]): Promise<void> {
    const fetched = asked.length > 0 ? this.#remote.fetch(asked, this.#signal) : undefined
    const before = this.#come
    this.#come = Promise.allSettled([before, fetched])
    const { entries = [], malformed = 0 } = (await fetched) ?? {}
    await before
    this.malformed += malformed
    taken.push(...entries)
    if (taken.length > 0) await this.#merge(taken)
  }

  async #merge(taken: readonly Entry[]): Promise<void> {
    this.#replacing = taken.some(({ replaces }) => replaces !== undefined)
    const verdict = await this.#local.merge(taken)
    this.received += taken.length
    if (verdict !== undefined) await this.#remote.review(verdict, this.#signal)
  }

  /** What has been superseded meanwhile is not sent any more. */
  async #send(): Promise<void> {
    const given = this.give.splice(0)
    if (given.length === 0) return
    for (const batch of batchesOf(await this.#compared.fetch(given))) {
      const { accepted, malformed, verdict } = await this.#remote.push(batch, [], this.#signal)
      this.sent += accepted
      this.malformed += malformed
      if (verdict === undefined) continue
      await this.#local.review(verdict)
      // as a change: what is settled by it may show elsewhere
      this.sent += verdict.refs.length + verdict.deletions.length
    }
  }
}
