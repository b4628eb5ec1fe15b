// Asks the holders themselves: who has a blob now, and when those that are to get it have it.

import type { ContentHash } from '../../protocols/hash.ts'
import { type Clock, sleep } from '../base/clock.ts'
import type { SyncNetwork } from './admitted-network.ts'
import { HolderStream, type HolderWord } from './holder-stream.ts'

/** After so long a peer is asked again on another stream. */
const AGAIN_MS = 500

export interface HolderParts {
  readonly network: SyncNetwork
  readonly clock: Clock
}

export class Holders {
  readonly #parts: HolderParts
  readonly #streams = new Map<string, HolderStream>()
  readonly #closing = new Set<Promise<void>>()
  readonly #stop = new AbortController()

  constructor(parts: HolderParts) {
    this.#parts = parts
    parts.network.onPeer(({ id }, event) => {
      if (event === 'down') this.#drop(id)
    })
  }

  /** Whether each connected peer holds the blob durably; without those that don't say so. */
  ask(
    hash: ContentHash,
    timeoutMs: number,
    signal: AbortSignal
  ): Promise<ReadonlyMap<string, boolean>> {
    return this.#askEach(timeoutMs, signal, (stream, either) => stream.ask(hash, either))
  }

  /** The same, and how each stands to the blob. */
  explain(
    hash: ContentHash,
    timeoutMs: number,
    signal: AbortSignal
  ): Promise<ReadonlyMap<string, HolderWord>> {
    return this.#askEach(timeoutMs, signal, (stream, either) => stream.explain(hash, either))
  }

  /**
   * Peers that hold the blob durably: as soon as they are `count`, else those that do after the
   * time, or when the caller gives up.
   */
  async whenHeld(
    hash: ContentHash,
    count: number,
    timeoutMs: number,
    signal: AbortSignal
  ): Promise<readonly string[]> {
    const { network } = this.#parts
    const held = new Set<string>()
    if (count <= 0) return []
    await this.#within(timeoutMs, signal, async (either) => {
      const enough = Promise.withResolvers<void>()
      const ask = async (peerId: string) => {
        if (await this.#untilHeld(peerId, hash, either)) held.add(peerId)
        if (held.size >= count) enough.resolve()
      }
      const offPeer = network.onPeer(({ id }, event) => {
        if (event === 'up') void ask(id)
      })
      either.addEventListener('abort', () => enough.resolve(), { once: true })
      if (either.aborted) enough.resolve()
      for (const { id } of network.peers()) void ask(id)
      await enough.promise
      offPeer()
    })
    return [...held]
  }

  /** False if the peer goes, or nobody waits any more; a stream that breaks is opened again. */
  async #untilHeld(peerId: string, hash: ContentHash, signal: AbortSignal): Promise<boolean> {
    const { network, clock } = this.#parts
    const isHere = () => network.peers().some(({ id }) => id === peerId)
    while (isHere() && !signal.aborted) {
      const stream = this.#streamOf(peerId)
      if (await stream.untilHeld(hash, signal)) return true
      await sleep(clock, AGAIN_MS, signal).catch(() => {})
      // it went, and has come again: then it is asked as a new one
      if (this.#streams.get(peerId) !== stream) return false
    }
    return false
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the node is stopping'))
    for (const id of [...this.#streams.keys()]) this.#drop(id)
    await Promise.all(this.#closing)
  }

  async #askEach<T>(
    timeoutMs: number,
    signal: AbortSignal,
    ask: (stream: HolderStream, either: AbortSignal) => Promise<T | undefined>
  ): Promise<ReadonlyMap<string, T>> {
    const answers = new Map<string, T>()
    await this.#within(timeoutMs, signal, async (either) => {
      const asking = this.#parts.network.peers().map(async ({ id }) => {
        const answer = await ask(this.#streamOf(id), either)
        if (answer !== undefined) answers.set(id, answer)
      })
      await Promise.all(asking)
    })
    return answers
  }

  /** Runs `work` with a signal that is aborted after the time, or when `work` is done. */
  async #within(
    timeoutMs: number,
    signal: AbortSignal,
    work: (either: AbortSignal) => Promise<void>
  ): Promise<void> {
    const over = new AbortController()
    const end = () => over.abort(new Error('the time is over'))
    const cancel = this.#parts.clock.after(timeoutMs, end)
    try {
      await work(AbortSignal.any([over.signal, signal, this.#stop.signal]))
    } finally {
      cancel()
      end()
    }
  }

  #streamOf(peerId: string): HolderStream {
    let stream = this.#streams.get(peerId)
    if (stream === undefined) {
      stream = new HolderStream(this.#parts, peerId)
      this.#streams.set(peerId, stream)
    }
    return stream
  }

  #drop(peerId: string): void {
    const stream = this.#streams.get(peerId)
    if (stream === undefined) return
    this.#streams.delete(peerId)
    const closing = stream.close().finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
