// One stream to one peer, on which it is asked whether it holds blobs: once, or until it does. All
// who ask share it, so that a thousand uploads that wait for proof cost few messages.

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
  readonly settle: (has: boolean | undefined) => void
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
  ask(hash: ContentHash, signal: AbortSignal): Promise<boolean | undefined> {
    return this.#wait(hash, true, signal)
  }

  /** True as soon as the peer holds the blob durably; undefined if it broke off, or is aborted. */
  untilHeld(hash: ContentHash, signal: AbortSignal): Promise<boolean | undefined> {
    return this.#wait(hash, false, signal)
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    const gone = new Error('the peer is gone')
    this.#stop.abort(gone)
    this.#client?.abort(gone)
    await this.#running
  }

  #wait(hash: ContentHash, once: boolean, signal: AbortSignal): Promise<boolean | undefined> {
    return new Promise((resolve) => {
      const settle = (has: boolean | undefined) => {
        this.#waiters.delete(waiter)
        signal.removeEventListener('abort', giveUp)
        resolve(has)
      }
      const giveUp = () => settle(undefined)
      const waiter = { hash, once, settle }
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
      while (this.#waiters.size > 0) await this.#askAll([...this.#waiters].slice(0, ITEMS_MAX))
    } catch (error) {
      this.#client?.abort(error as Error)
      this.#client = undefined
      for (const waiter of this.#waiters) waiter.settle(undefined)
    }
  }

  async #askAll(waiters: readonly Waiter[]): Promise<void> {
    const { network, clock } = this.#parts
    const late = new AbortController()
    const cancel = clock.after(ANSWER_MS_MAX, () => late.abort(new Error('no answer')))
    const signal = AbortSignal.any([late.signal, this.#stop.signal])
    const [first] = waiters as readonly [Waiter]
    const isLone = waiters.length === 1 && !first.once
    let settled = 0
    try {
      this.#client ??= new BlobsClient(await network.open(this.#peerId, BLOBS_ID, signal))
      const hashes = waiters.map(({ hash }) => hash)
      const answers = isLone
        ? [await this.#client.held(first.hash, HELD_MS, signal)]
        : await this.#client.have(hashes, signal)
      for (const [at, waiter] of waiters.entries()) {
        const has = answers[at] as boolean
        if (has || waiter.once) {
          waiter.settle(has)
          settled++
        } else if (this.#waiters.delete(waiter)) this.#waiters.add(waiter) // the next ones first
      }
    } finally {
      cancel()
    }
    if (!isLone && settled === 0) await sleep(clock, POLL_MS, this.#stop.signal)
  }
}
