// Asks the members what they keep of a path. Each peer has one stream for it, on which questions
// take turns, however many people ask at a time.

import type { ToldHistory } from '../../protocols/entries/parse-answer.ts'
import { EntriesClient } from '../../protocols/entries/request.ts'
import { ENTRIES_ID } from '../../protocols/ids.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { StatusError } from '../../protocols/status.ts'
import type { Clock } from '../base/clock.ts'
import type { SyncNetwork } from './admitted-network.ts'

export interface HistoriesParts {
  readonly network: Pick<SyncNetwork, 'peers' | 'onPeer' | 'open'>
  readonly clock: Clock
}

export class Histories {
  readonly #parts: HistoriesParts
  readonly #clients = new Map<string, Promise<EntriesClient>>()
  readonly #asking = new Set<Promise<unknown>>()
  readonly #stop = new AbortController()

  constructor(parts: HistoriesParts) {
    this.#parts = parts
    parts.network.onPeer(({ id }, event) => {
      if (event === 'down') this.#drop(id, this.#clients.get(id), new Error('the peer is gone'))
    })
  }

  /**
   * What each connected peer keeps, by its id. Left out are those that do not say it in time, and
   * older ones that do not know the question. Without `peers` all are asked.
   */
  async ask(
    path: ImagePath,
    timeoutMs: number,
    peers?: readonly string[]
  ): Promise<ReadonlyMap<string, ToldHistory>> {
    const { network, clock } = this.#parts
    const told = new Map<string, ToldHistory>()
    const late = new AbortController()
    const cancel = clock.after(timeoutMs, () => late.abort(new Error('the time is over')))
    const signal = AbortSignal.any([late.signal, this.#stop.signal])
    const ids = peers ?? network.peers().map(({ id }) => id)
    const asking = ids.map(async (id) => {
      const history = await this.#ask(id, path, signal)
      if (history !== undefined) told.set(id, history)
    })
    const all = Promise.all(asking).finally(() => this.#asking.delete(all))
    this.#asking.add(all)
    await all
    cancel()
    return told
  }

  async stop(): Promise<void> {
    const stopping = new Error('the node is stopping')
    this.#stop.abort(stopping)
    for (const [id, client] of this.#clients) this.#drop(id, client, stopping)
    await Promise.all(this.#asking)
  }

  /** Never rejects. */
  async #ask(id: string, path: ImagePath, signal: AbortSignal): Promise<ToldHistory | undefined> {
    const opening = this.#clients.get(id) ?? this.#open(id, signal)
    this.#clients.set(id, opening)
    try {
      return await (await opening).history(path, signal)
    } catch (error) {
      if (!(error instanceof StatusError)) this.#drop(id, opening, error as Error)
      return undefined
    }
  }

  async #open(id: string, signal: AbortSignal): Promise<EntriesClient> {
    return new EntriesClient(await this.#parts.network.open(id, ENTRIES_ID, signal))
  }

  /** The next question opens a new stream. */
  #drop(id: string, client: Promise<EntriesClient> | undefined, error: Error): void {
    if (client === undefined) return
    if (this.#clients.get(id) === client) this.#clients.delete(id)
    client.then(
      (open) => open.abort(error),
      () => {} // who opened it has heard of it
    )
  }
}
