// Moves entries in both directions during an exchange, in batches.

import type { Entry } from '../entry.ts'
import { batchesOf } from './batch.ts'
import type { EntryRef } from './entry-ref.ts'
import type { EntriesClient } from './request.ts'
import type { ComparedEntries, ExchangedEntries } from './source.ts'

/** One is written, the next ones are decided and share what their writing costs. */
const MERGES_MAX = 4

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
  /** Merges that are not written yet, the oldest first: meanwhile the next entries come. */
  readonly #merging: Promise<void>[] = []
  /** Some of these take the place of other entries. */
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
   * The same before older places are looked at: where what came may have emptied these, since it
   * takes the place of others, it resolves once that is merged.
   */
  async settled(count: number): Promise<void> {
    await this.flush(count)
    if (this.#replacing) await this.#merged()
  }

  /** Moves all that waits, and resolves once it is merged. */
  async finish(): Promise<void> {
    await this.flush(1)
    await this.#merged()
  }

  async #merged(): Promise<void> {
    await Promise.all(this.#merging)
    this.#merging.length = 0
    this.#replacing = false
  }

  /** Resolves when nothing is being merged any more, however that ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#merging)
  }

  async #receive(): Promise<void> {
    const asked = this.ask.splice(0)
    const taken = this.take.splice(0)
    if (asked.length > 0) {
      const { entries, malformed } = await this.#remote.fetch(asked, this.#signal)
      this.malformed += malformed
      taken.push(...entries)
    }
    if (taken.length === 0) return
    this.#replacing ||= taken.some(({ replaces }) => replaces !== undefined)
    if (this.#merging.length === MERGES_MAX) {
      await this.#merging[0]
      this.#merging.shift()
    }
    const merging = this.#merge(taken)
    merging.catch(() => {}) // it is thrown where it is waited for
    this.#merging.push(merging)
  }

  async #merge(taken: readonly Entry[]): Promise<void> {
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
