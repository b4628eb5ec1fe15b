// What peers say of themselves: noted with each exchange, and asked for between two of them.

import { EntriesClient } from '../../protocols/entries/request.ts'
import type { EntriesStatus } from '../../protocols/entries/source.ts'
import { ENTRIES_ID } from '../../protocols/ids.ts'
import { isSameNode, ROOT_KEY } from '../../protocols/time-tree-shape.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { Network } from '../network/network.ts'
import type { PeerBeliefs } from './peer-beliefs.ts'

/** A peer that changes is asked what it lacks at most this often. */
const ASK_MS = 5_000
const ASK_MS_MAX = 10_000

export interface PeerReportsParts {
  readonly network: Pick<Network, 'peers' | 'open'>
  readonly index: ImageIndex
  readonly clock: Clock
  readonly log: Log
  readonly beliefs: PeerBeliefs
  /** What a peer says of itself is old after so long. */
  readonly reportMsMax: number
}

export class PeerReports {
  readonly #parts: PeerReportsParts
  /** When peers were last asked what they lack, by the monotonic clock. */
  readonly #askedMs = new Map<string, number>()
  readonly #asking = new Set<Promise<void>>()
  readonly #stop = new AbortController()

  constructor(parts: PeerReportsParts) {
    this.#parts = parts
  }

  /** What a peer has said, compared beyond the horizon. */
  async note(peerId: string, status: EntriesStatus, horizon: number): Promise<void> {
    const { index, clock, beliefs } = this.#parts
    const before = index.root()
    const root = await index.beyond(Math.max(horizon, status.horizon)).node(ROOT_KEY)
    // what was written meanwhile is older than this report, and not there
    const equal = isSameNode(root, status.root) && isSameNode(before, index.root())
    beliefs.note(peerId, { status, equal, atMs: clock.now() })
  }

  /**
   * Asks those peers what they lack whose last word on it may be out of date, and that do not tell
   * it anyway. Does not wait for them: `beliefs` shows it a moment later.
   */
  refresh(isTelling: (peerId: string) => boolean): void {
    const { network, clock, beliefs, reportMsMax } = this.#parts
    const nowMs = clock.monotonicMs()
    for (const { id } of network.peers()) {
      const report = beliefs.report(id)
      const askedMs = this.#askedMs.get(id) ?? Number.NEGATIVE_INFINITY
      if (nowMs - askedMs < ASK_MS || isTelling(id)) continue
      const isOld = report === undefined || Math.abs(clock.now() - report.atMs) >= reportMsMax
      const isSyncing = report !== undefined && (!report.equal || report.status.wantsFiles > 0)
      if (!isOld && !isSyncing && !beliefs.isOutdated(id)) continue
      void this.#askNow(id)
    }
  }

  /** Asks all of them, whatever is known; resolves when each has answered or failed. */
  async askAll(): Promise<void> {
    await Promise.all(this.#parts.network.peers().map(({ id }) => this.#askNow(id)))
  }

  /** The peer has come or gone. */
  forget(peerId: string): void {
    this.#askedMs.delete(peerId)
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the node is stopping'))
    await Promise.all(this.#asking)
  }

  /** Never rejects. */
  #askNow(peerId: string): Promise<void> {
    this.#askedMs.set(peerId, this.#parts.clock.monotonicMs())
    const asking = this.#ask(peerId).finally(() => this.#asking.delete(asking))
    this.#asking.add(asking)
    return asking
  }

  async #ask(peerId: string): Promise<void> {
    const { network, clock, log, index } = this.#parts
    const late = new AbortController()
    const cancel = clock.after(ASK_MS_MAX, () => late.abort(new Error('no answer')))
    const signal = AbortSignal.any([late.signal, this.#stop.signal])
    let client: EntriesClient | undefined
    try {
      client = new EntriesClient(await network.open(peerId, ENTRIES_ID, signal))
      client.horizon = index.horizon()
      await this.note(peerId, await client.status(signal), client.horizon)
      await client.end(signal)
    } catch (error) {
      client?.abort(error as Error)
      log.debug({ peer: peerId, err: error }, 'a peer did not say what it lacks')
    } finally {
      cancel()
    }
  }
}
