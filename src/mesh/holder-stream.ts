// One stream to one peer, on which it is asked whether it holds blobs: once, or until it does. All
// who ask share it, so that a thousand uploads that wait for proof cost few messages.

import type { Copy } from '../../protocols/blobs/copy.ts'
import { ITEMS_MAX } from '../../protocols/blobs/limits.ts'
import { BlobsClient } from '../../protocols/blobs/request.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { BLOBS_ID } from '../../protocols/ids.ts'
import { type Clock, sleep } from '../base/clock.ts'
import type { SyncNetwork } from './admitted-network.ts'

/** How long the peer itself waits for a lone blob; another question waits behind it. */
const HELD_MS = 100
/** Between two questions for several blobs. */
const POLL_MS = 20
const ANSWER_MS_MAX = 10_000

interface Waiter {
  readonly hash: ContentHash
  /** Whether "no" is an answer too. */
  readonly once: boolean
  /** Whether more is asked than whether it is had. */
  readonly explains: boolean
  readonly settle: (word: HolderWord | undefined) => void
}

/** What a peer says of itself and one blob. */
export interface HolderWord {
  readonly has: boolean
  /** Only who is asked for it says it, and no earlier version. */
  readonly copy?: Copy | undefined
}

export interface HolderStreamParts {
  readonly network: Pick<SyncNetwork, 'open'>
  readonly clock: Clock
}

export class HolderStream {
  readonly #parts: HolderStreamParts
  readonly #peerId: string
  readonly #waiters = new Set<Waiter>()
  readonly #stop = new AbortController()
  #client: BlobsClient | undefined
  #running: Promise<void> | undefined

  constructor(parts: HolderStreamParts, peerId: string) {
    this.#parts = parts
    this.#peerId = peerId
  }

  /** Whether the peer holds the blob durably; undefined if it did not say so in time. */
  async ask(hash: ContentHash, signal: AbortSignal): Promise<boolean | undefined> {
    return (await this.#wait({ hash, once: true, explains: false }, signal))?.has
  }

  /** The same, and why. */
  explain(hash: ContentHash, signal: AbortSignal): Promise<HolderWord | undefined> {
    return this.#wait({ hash, once: true, explains: true }, signal)
  }

  /** True as soon as the peer holds the blob durably; undefined if it broke off, or is aborted. */
  async untilHeld(hash: ContentHash, signal: AbortSignal): Promise<boolean | undefined> {
    return (await this.#wait({ hash, once: false, explains: false }, signal))?.has
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    const gone = new Error('the peer is gone')
    this.#stop.abort(gone)
    this.#client?.abort(gone)
    await this.#running
  }

  #wait(question: Omit<Waiter, 'settle'>, signal: AbortSignal): Promise<HolderWord | undefined> {
    return new Promise((resolve) => {
      const settle = (word: HolderWord | undefined) => {
        this.#waiters.delete(waiter)
        signal.removeEventListener('abort', giveUp)
        resolve(word)
      }
      const giveUp = () => settle(undefined)
      const waiter = { ...question, settle }
      if (signal.aborted || this.#stop.signal.aborted) return resolve(undefined)
      signal.addEventListener('abort', giveUp)
      this.#waiters.add(waiter)
      this.#begin()
    })
  }

  #begin(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#waiters.size > 0) this.#begin() // one came after the last look
    })
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      while (this.#waiters.size > 0) await this.#askSome([...this.#waiters])
    } catch (error) {
      this.#client?.abort(error as Error)
      this.#client = undefined
      for (const waiter of this.#waiters) waiter.settle(undefined)
    }
  }

  async #askSome(waiters: readonly Waiter[]): Promise<void> {
    const [first] = waiters
    if (first?.explains) return this.#askFor(first)
    return this.#askAll(waiters.filter(({ explains }) => !explains).slice(0, ITEMS_MAX))
  }

  async #askFor({ hash, settle }: Waiter): Promise<void> {
    await this.#within(async (client, signal) => settle(await client.explain(hash, signal)))
  }

  async #within(work: (client: BlobsClient, signal: AbortSignal) => Promise<void>): Promise<void> {
    const { network, clock } = this.#parts
    const late = new AbortController()
    const cancel = clock.after(ANSWER_MS_MAX, () => late.abort(new Error('no answer')))
    const signal = AbortSignal.any([late.signal, this.#stop.signal])
    try {
      this.#client ??= new BlobsClient(await network.open(this.#peerId, BLOBS_ID, signal))
      await work(this.#client, signal)
    } finally {
      cancel()
    }
  }

  async #askAll(waiters: readonly Waiter[]): Promise<void> {
    const [first] = waiters as readonly [Waiter]
    const isLone = waiters.length === 1 && !first.once
    let settled = 0
    await this.#within(async (client, signal) => {
      const hashes = waiters.map(({ hash }) => hash)
      const answers = isLone
        ? [await client.held(first.hash, HELD_MS, signal)]
        : await client.have(hashes, signal)
      for (const [at, waiter] of waiters.entries()) {
        const has = answers[at] as boolean
        if (has || waiter.once) {
          waiter.settle({ has })
          settled++
        } else if (this.#waiters.delete(waiter)) this.#waiters.add(waiter) // the next ones first
      }
    })
    if (!isLone && settled === 0) await sleep(this.#parts.clock, POLL_MS, this.#stop.signal)
  }
}
