// Asking the holders of a large blob one after the other. One that is slow to begin, or to go on,
// is left for the next, and gets all its time once nobody else is left.

import { NodeError } from '../base/errors.ts'
import { Slow } from '../blob-sync/ask-alone.ts'
import { PATIENCE_MS_MAX } from '../blob-sync/patience.ts'
import type { Wait } from '../blob-sync/reader-lines.ts'
import { Silent, TooSlow } from '../blob-sync/stall-watch.ts'

/** Those that were asked for a blob. */
export class AskedHolders {
  readonly tried = new Set<string>()
  /** Those of them that were left because they were slow. */
  readonly #slow = new Set<string>()
  /** Those that have got all their time: they get it once. */
  readonly #waitedFor = new Set<string>()
  /** What was told where a turn did not come. */
  #busy: unknown

  /** Throws what `asking` does, but for what is no fault of the peer; BUSY only from the last. */
  async unlessSlow(peerId: string, asking: Promise<void>): Promise<void> {
    try {
      await asking
    } catch (error) {
      if (isBusy(error) && this.#slow.size > 0) {
        this.#busy = error
        return
      }
      const isSlow = [Slow, Silent, TooSlow].some((kind) => error instanceof kind)
      if (isSlow && !this.#waitedFor.has(peerId)) this.#slow.add(peerId)
      // whoever is only slower than usual has not failed: other blobs go on coming from there
      if (!(error instanceof Slow) || error.waitedMs >= PATIENCE_MS_MAX) throw error
    }
  }

  /**
   * Whom to ask next, of these and of those that were slow, and how long to wait for it. Throws
   * BUSY in the end if one of them had no turn.
   */
  *inTurn(
    holders: Iterable<{ readonly peerId: string; readonly isLast: boolean }>
  ): Generator<{ peerId: string; wait: Wait }, undefined> {
    for (const { peerId, isLast } of holders) {
      this.tried.add(peerId)
      const wait = isLast && this.#slow.size === 0 ? 'full' : 'usual'
      if (wait === 'full') this.#waitedFor.add(peerId)
      yield { peerId, wait }
    }
    for (const peerId of this.#slow) {
      this.#slow.delete(peerId)
      this.#waitedFor.add(peerId)
      yield { peerId, wait: 'full' }
    }
    if (this.#busy !== undefined) throw this.#busy
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof NodeError && error.code === 'BUSY'
}
