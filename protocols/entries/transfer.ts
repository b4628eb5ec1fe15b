// Moves entries in both directions during an exchange, in batches.

import type { Entry } from '../entry.ts'
import { batchesOf } from './batch.ts'
import type { EntryRef } from './entry-ref.ts'
import type { EntriesClient } from './request.ts'
import type { ComparedEntries } from './source.ts'

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
  readonly #local: ComparedEntries
  readonly #remote: EntriesClient
  readonly #apply: (entries: readonly Entry[]) => Promise<void>
  readonly #signal: AbortSignal

  constructor(
    local: ComparedEntries,
    remote: EntriesClient,
    apply: (entries: readonly Entry[]) => Promise<void>,
    signal: AbortSignal
  ) {
    this.#local = local
    this.#remote = remote
    this.#apply = apply
    this.#signal = signal
  }

  /** Moves what waits, if that is `count` entries or more. */
  async flush(count: number): Promise<void> {
    if (this.take.length + this.ask.length + this.give.length < count) return
    this.#signal.throwIfAborted()
    await this.#receive()
    await this.#send()
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
    await this.#apply(taken)
    this.received += taken.length
  }

  /** What has been superseded meanwhile is not sent any more. */
  async #send(): Promise<void> {
    const given = this.give.splice(0)
    if (given.length === 0) return
    for (const batch of batchesOf(await this.#local.fetch(given))) {
      const { accepted, malformed } = await this.#remote.push(batch, [], this.#signal)
      this.sent += accepted
      this.malformed += malformed
    }
  }
}
