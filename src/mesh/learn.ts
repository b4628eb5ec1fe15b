// A reader asks for a path that this node does not know: who may know more is asked, before the
// next exchange would tell.

import type { ImagePath } from '../../protocols/path.ts'
import type { IndexSync } from '../index-sync/index-sync.ts'
import type { SyncNetwork } from './admitted-network.ts'
import type { Histories } from './histories.ts'

export interface LearnParts {
  readonly network: Pick<SyncNetwork, 'peers'>
  readonly indexSync: Pick<IndexSync, 'beliefs' | 'push'>
  readonly histories: Pick<Histories, 'ask'>
}

/** A reader waits for no answer longer. */
const LEARN_MS_MAX = 1000
/** Paths that are asked for at a time: robots try very many, and these are no reason to ask. */
const LEARNING_MAX = 32

export class Learner {
  readonly #parts: LearnParts
  readonly #learning = new Map<ImagePath, Promise<void>>()

  constructor(parts: LearnParts) {
    this.#parts = parts
  }

  /** Resolves when the index has what connected peers know of the path. Never rejects. */
  learn(path: ImagePath): Promise<void> {
    const running = this.#learning.get(path)
    if (running !== undefined) return running
    const peers = this.#unequal()
    if (peers.length === 0 || this.#learning.size >= LEARNING_MAX) return Promise.resolve()
    const learning = this.#ask(path, peers).finally(() => this.#learning.delete(path))
    this.#learning.set(path, learning)
    return learning
  }

  /** Peers whose index was not the same as this one when that was last seen. */
  #unequal(): readonly string[] {
    const { network, indexSync } = this.#parts
    const ids = network.peers().map(({ id }) => id)
    return ids.filter((id) => indexSync.beliefs.report(id)?.equal !== true)
  }

  async #ask(path: ImagePath, peers: readonly string[]): Promise<void> {
    const { histories, indexSync } = this.#parts
    const told = await histories.ask(path, LEARN_MS_MAX, peers)
    for (const [peerId, { current }] of told) {
      if (current?.path !== path) continue
      // as if it had been pushed; what this node will not take is none of the reader's business
      await indexSync.push([current], [], peerId).catch(() => {})
    }
  }
}
