// Keeps the index of this node and those of its peers the same: pushes what is new, and compares.
//
// An exchange is begun by who dialled the connection, then in turn with one peer each interval, and
// where a push was missed. It keeps no state: broken off anywhere, it is begun again.

import { exchange } from '../../protocols/entries/exchange.ts'
import { EntriesClient } from '../../protocols/entries/request.ts'
import { entriesProtocol } from '../../protocols/entries/serve.ts'
import type {
  Claim,
  EntriesSource,
  EntriesStatus,
  ExchangedEntries,
  KeptHistory,
  Proof,
  Verdict
} from '../../protocols/entries/source.ts'
import { type Entry, type ImageEntry, isImage } from '../../protocols/entry.ts'
import { ENTRIES_ID } from '../../protocols/ids.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { StatusError } from '../../protocols/status.ts'
import { bucketOf, ROOT_KEY } from '../../protocols/time-tree-shape.ts'
import type { Clock, Random } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ImageIndex } from '../index/image-index.ts'
import type { ConnectedPeer, Network } from '../network/network.ts'
import { CompareWatch } from './compare-watch.ts'
import { MetPeers, type MetPeersParts } from './met-peers.ts'
import { PeerBeliefs } from './peer-beliefs.ts'
import { PeerReports, type PeerReportsParts } from './peer-reports.ts'
import { Prover, type ProverParts } from './prover.ts'
import { Pusher, type PushWatch } from './pusher.ts'
import { receive } from './receive.ts'

export interface IndexSyncParts
  extends Pick<ProverParts, 'members' | 'wasRemoved'>,
    Pick<MetPeersParts, 'hasRecord'>,
    Pick<PeerReportsParts, 'reportMsMax'> {
  readonly network: Pick<Network, 'id' | 'peers' | 'onPeer' | 'handle' | 'open'>
  readonly index: ImageIndex
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What this node says of the blobs that it lacks, and of its disk. */
  readonly wants: () => Promise<Omit<EntriesStatus, 'root' | 'horizon'>>
  /**
   * Entries of other nodes that have become current here: wants follow, and steps on disk where
   * there are some. None where only some have left the index.
   */
  readonly onMerged: (entries: readonly Entry[], about: { hasSteps: boolean }) => void
  /** Hears of images before that, whose blobs are wanted once `written` resolves. Never throws. */
  readonly onComing?: (images: readonly ImageEntry[], written: Promise<unknown>) => void
}

export interface Lag {
  /** Deletions of images aside; undefined if it did not lack any when it spoke last. */
  readonly entries: number | undefined
  /** Whether the two indexes are being compared now. */
  readonly isComparing: boolean
}

const ANSWERED_MS = 1000
/** Exchanges in a row that find the two still not the same. */
const REPEATS_MAX = 3
/** An exchange in which nothing is asked for so long is broken off. */
const STALLED_MS = 5 * 60_000

export class IndexSync implements EntriesSource {
  readonly #parts: IndexSyncParts
  readonly #network: Pick<Network, 'id' | 'peers' | 'open'>
  readonly #pusher: Pusher
  readonly #prover: Prover
  /** Exchanges under way, and those that must follow them. */
  readonly #exchanges = new Map<string, { done: Promise<void>; again: boolean }>()
  /** Peers of which an entry was not taken. */
  readonly #refusedOf = new Set<string>()
  readonly #reports: PeerReports
  readonly #comparing: CompareWatch
  readonly #stop = new AbortController()
  #hasCompared = false
  /** What the peers say of themselves. */
  readonly beliefs = new PeerBeliefs()

  constructor(parts: IndexSyncParts) {
    this.#parts = parts
    const { network, index } = parts
    const met = new MetPeers(parts)
    this.#network = met.noting(network)
    const shared = { ...parts, network: this.#network }
    this.#prover = new Prover(parts)
    this.#reports = new PeerReports({ ...shared, beliefs: this.beliefs })
    this.#comparing = new CompareWatch(parts.clock)
    this.#pusher = new Pusher({ ...shared, onMissed: (id) => void this.compare(id) })
    network.handle({
      id: entriesProtocol.id,
      streamsMax: entriesProtocol.limits.streamsMax,
      serve: async (stream, peer) => {
        await met.note(peer.id)
        const source = this.#comparing.watched(this, peer.id)
        return entriesProtocol.serve(stream, source, peer.id)
      }
    })
    network.onPeer((peer, event) => this.#onPeer(peer, event))
    index.onNews((news) => {
      this.beliefs.doubt(news.map(({ entry }) => entry))
      const own = news.filter(({ from }) => from === undefined).map(({ entry }) => entry)
      if (own.length > 0) this.#pusher.spread(own, [])
    })
  }

  /**
   * Compares with a peer, after an exchange that is under way; resolves when it is done or failed.
   */
  compare(peerId: string): Promise<void> {
    const running = this.#exchanges.get(peerId)
    if (running !== undefined) {
      running.again = true
      return running.done
    }
    const state = { done: Promise.resolve(), again: false }
    state.done = this.#run(peerId, state)
    this.#exchanges.set(peerId, state)
    return state.done
  }

  /** Whether a comparison with any peer has come to its end. */
  get hasCompared(): boolean {
    return this.#hasCompared
  }

  /** Compares with every peer. */
  async compareAll(): Promise<void> {
    await Promise.all(this.#parts.network.peers().map(({ id }) => this.compare(id)))
  }

  /** Compares with one peer, whichever, that is not about it already. */
  async compareOne(): Promise<void> {
    const peers = this.#parts.network.peers().filter(({ id }) => !this.#comparing.includes(id))
    const peer = peers[Math.floor(this.#parts.random.fraction() * peers.length)]
    if (peer !== undefined) await this.compare(peer.id)
  }

  /** How far a peer is behind this index, as far as that is known. */
  lag(peerId: string): Lag {
    const report = this.beliefs.report(peerId)
    const more = this.#parts.index.root().live - (report?.status.root.live ?? Number.NaN)
    return {
      entries: more > 0 ? more : undefined,
      isComparing: this.#exchanges.has(peerId) || this.#comparing.includes(peerId)
    }
  }

  /** See PeerReports.refresh. */
  refresh(): void {
    this.#reports.refresh((id) => this.#exchanges.has(id))
  }

  /** See PeerReports.askAll. */
  askAll(): Promise<void> {
    return this.#reports.askAll()
  }

  /** Notes from now on which peers acknowledge what is written under a path. */
  watch(path: string): PushWatch {
    return this.#pusher.watch(path)
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the node is stopping'))
    this.#pusher.stop()
    await Promise.all([...this.#exchanges.values()].map(({ done }) => done))
    await this.#reports.stop()
  }

  // What peers ask for.

  beyond(horizon: number) {
    return this.#parts.index.beyond(horizon)
  }

  async push(
    entries: readonly Entry[],
    sentTo: readonly string[],
    from: string
  ): Promise<Verdict | undefined> {
    // who names nobody has found by comparing that this node lacks them
    const horizon = sentTo.length === 0 ? this.#comparing.horizonOf(from) : 0
    return this.#merge(entries, from, [...new Set([...sentTo, from])], horizon)
  }

  async status(horizon: number): Promise<EntriesStatus> {
    const { index } = this.#parts
    const own = index.horizon()
    const root = await index.beyond(Math.max(own, horizon)).node(ROOT_KEY)
    // after it: what comes meanwhile is not said to be here
    return { root, horizon: own, ...(await this.#parts.wants()) }
  }

  prove(claim: Claim, from: string): Promise<Proof> {
    return this.#prover.answer(claim, from)
  }

  async review(verdict: Verdict, from: string): Promise<number> {
    const { deletions, refs } = verdict
    if (deletions.length > 0) await this.#merge(deletions, from, [from])
    const taken = refs.length === 0 ? 0 : await this.#prover.take(verdict, from)
    if (taken > 0) this.#parts.onMerged([], { hasSteps: true })
    return taken + deletions.length
  }

  history(path: ImagePath): KeptHistory {
    return { current: this.#parts.index.get(path), past: this.#parts.index.pastOf(path) }
  }

  /** Takes in what a peer offers, and passes on what is new to all but those that know it. */
  async #merge(
    entries: readonly Entry[],
    from: string,
    knownTo: readonly string[],
    horizon = 0
  ): Promise<Verdict | undefined> {
    const { index, onMerged, onComing } = this.#parts
    const written = index.change((tx) => {
      const outcome = receive(tx, entries, from)
      // who offered the image is not shown its deletion: the two would never be the same
      const hidden = outcome.deletions.filter(({ version }) => bucketOf(version) < horizon)
      const verdict = this.#prover.verdict(tx, outcome.review, hidden)
      // their bytes come while this is being written
      const coming = outcome.merged.filter(isImage).filter(({ hash }) => tx.blob(hash)?.want)
      if (coming.length > 0) onComing?.(coming, written)
      return { ...outcome, verdict, hasSteps: tx.ledger.hasSteps }
    })
    const { merged, known, isRefused, verdict, hasSteps } = await written
    if (isRefused) this.#sayRefused(from)
    if (merged.length > 0) onMerged(merged, { hasSteps })
    this.#pusher.spread(merged, knownTo)
    this.#pusher.heard(known, knownTo)
    return verdict
  }

  /** Once for each connection: it is offered again by every exchange. */
  #sayRefused(from: string): void {
    if (this.#refusedOf.has(from)) return
    this.#refusedOf.add(from)
    this.#parts.log.warn(
      { peer: from },
      'a server has entries from more than 100 years ahead, which are not taken: set its clock right'
    )
  }

  /** This index, as an exchange with a peer sees and changes it. */
  #exchanged(peerId: string): ExchangedEntries {
    const { index } = this.#parts
    let compared = 0
    return {
      horizon: () => index.horizon(),
      beyond: (horizon) => {
        compared = horizon
        return index.beyond(horizon)
      },
      merge: (entries) => this.#merge(entries, peerId, [peerId], compared),
      review: (verdict) => this.review(verdict, peerId)
    }
  }

  #onPeer(peer: ConnectedPeer, event: 'up' | 'down'): void {
    if (event === 'up') this.beliefs.forget(peer.id)
    this.#reports.forget(peer.id)
    this.#refusedOf.delete(peer.id)
    this.#comparing.forget(peer.id)
    if (event === 'down') this.#pusher.drop(peer.id)
    else if (peer.dialled) void this.compare(peer.id)
    else this.#compareLater(peer.id)
  }

  /**
   * The other side has begun; this one asks when that is over, to know where both stand. Earlier it
   * would move once more all that is on its way.
   */
  #compareLater(peerId: string): void {
    this.#parts.clock.after(ANSWERED_MS, () => {
      if (this.#stop.signal.aborted) return
      if (this.#comparing.includes(peerId)) this.#compareLater(peerId)
      else void this.compare(peerId)
    })
  }

  async #run(peerId: string, state: { again: boolean }): Promise<void> {
    let repeats = 0
    do {
      state.again = false
      try {
        // What changed meanwhile, or tied, is found by the next one; a difference that stays, such
        // as an entry that one side can't read, must not keep both busy for ever.
        if ((await this.#exchange(peerId)) && ++repeats < REPEATS_MAX) state.again = true
      } catch (error) {
        const { log } = this.#parts
        if (!this.#stop.signal.aborted)
          log.debug({ peer: peerId, err: error }, 'an exchange broke off')
        // begun again only if that was asked for: who connects again compares again
      }
    } while (state.again && !this.#stop.signal.aborted)
    this.#exchanges.delete(peerId) // in the same step as the last look at `again`
  }

  /** True if something moved and the two are still not the same. */
  async #exchange(peerId: string): Promise<boolean> {
    const { clock, log } = this.#parts
    const late = new AbortController()
    const signal = AbortSignal.any([late.signal, this.#stop.signal])
    let client: EntriesClient | undefined
    let asked = 0
    let cancel = () => {}
    const look = () => {
      if (client?.asked === asked) return late.abort(new Error('it does not go on'))
      asked = client?.asked ?? 0
      cancel = clock.after(STALLED_MS, look)
    }
    cancel = clock.after(STALLED_MS, look)
    try {
      client = new EntriesClient(await this.#network.open(peerId, ENTRIES_ID, signal))
      const done = await exchange(this.#exchanged(peerId), client, signal)
      const { received, sent, rounds, remote, equal } = done
      if (received + sent > 0)
        log.info({ peer: peerId, received, sent, rounds }, 'compared indexes')
      await this.#reports.note(peerId, remote, client.horizon)
      this.#hasCompared = true
      await this.#prove(client, peerId, signal)
      await client.end(signal)
      return !equal && received + sent > 0
    } catch (error) {
      client?.abort(error as Error)
      throw error
    } finally {
      cancel()
    }
  }

  /** A peer that knows nothing of proofs, or has no room for one, is none the worse. */
  async #prove(client: EntriesClient, peerId: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#prover.ask(client, peerId, signal)
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      this.#parts.log.debug({ peer: peerId, err: error }, 'nothing was proved')
    }
  }
}
