// What this node can say of the mesh: who belongs to it, who holds what, and what is under way.
// Each server is believed for itself alone.

import type { ContentHash } from '../../protocols/hash.ts'
import type { ImagePath } from '../../protocols/path.ts'
import { type Version, versionMs } from '../../protocols/version.ts'
import { type Cause, causeOf } from '../base/cause.ts'
import { sleep } from '../base/clock.ts'
import type { Figure } from '../base/figure.ts'
import { callOf } from '../base/how-called.ts'
import type { WantBook } from '../blob-sync/want-book.ts'
import type { FlowParts } from '../flows/parts.ts'
import type { Replicator } from '../flows/replicate.ts'
import { type Fetching, type Standing, standingOf } from '../flows/standing.ts'
import type { ServerStatus } from '../flows/status.ts'
import type {
  ChangeWatch,
  HolderAnswer,
  MeshStatusPort,
  Reach,
  Traffic
} from '../http/mesh-status-port.ts'
import type { Counts } from '../index/rows.ts'
import { ALL_BUCKETS, type BucketRanges, intersectionOf } from '../index-sync/bucket-ranges.ts'
import type { IndexSync } from '../index-sync/index-sync.ts'
import type { PushWatch } from '../index-sync/pusher.ts'
import type { Network } from '../network/network.ts'
import type { Redial } from '../network/redial.ts'
import type { TwinWatch } from '../network/twin-watch.ts'
import type { SyncNetwork } from './admitted-network.ts'
import type { Holders } from './holders.ts'
import type { LastSeen } from './last-seen.ts'
import type { Meetings } from './meetings.ts'
import type { MemberList } from './member-list.ts'
import {
  AWAY_MS,
  clockTroubles,
  diskTroubles,
  serverOf,
  unreachableTrouble
} from './server-list.ts'
import { wantMs } from './wants-of.ts'

export interface MeshStatusParts {
  readonly network: Network
  readonly admitted: SyncNetwork
  readonly flows: Pick<
    FlowParts,
    'index' | 'clock' | 'blocks' | 'brakes' | 'room' | 'packing' | 'store'
  >
  readonly members: MemberList
  readonly meetings: Meetings
  readonly indexSync: IndexSync
  readonly replicator: Replicator
  readonly book: WantBook
  readonly holders: Holders
  readonly seen: LastSeen
  readonly twins: Pick<TwinWatch, 'fault'>
  readonly redial: () => Redial | undefined
  /** Blobs that peers took from here, whole. */
  readonly sentBlobs: () => number
}

const REMOVED =
  'This node was removed from its mesh, and no member meets it. To take it back, run on a member: ' +
  `${callOf('join', 'ADDRESS')}, with an address of this node.`

/** Failed wants that are looked at for one status. */
const FAILURES_MAX = 10_000

export class MeshStatus implements MeshStatusPort {
  readonly #parts: MeshStatusParts
  readonly #fetchAll: boolean

  constructor(parts: MeshStatusParts, { fetchAll }: { fetchAll: boolean }) {
    this.#parts = parts
    this.#fetchAll = fetchAll
  }

  /** All other members, and who else is connected. Who looks makes sure that it is not old. */
  servers(): readonly ServerStatus[] {
    this.#parts.indexSync.refresh()
    return this.#servers()
  }

  nameOf(peerId: string): string {
    const { meetings, members } = this.#parts
    const member = members.others().find(({ id }) => id === peerId)
    return meetings.heard(peerId)?.name ?? member?.name ?? peerId
  }

  /** Ids of all members but this node, and of who else takes part. */
  others(): readonly string[] {
    const { members, admitted } = this.#parts
    const ids = [...members.others(), ...admitted.peers()].map(({ id }) => id)
    return [...new Set(ids)]
  }

  /** Whether a peer is believed to hold a blob that is wanted here. */
  believes(peerId: string, hash: ContentHash): boolean {
    const { flows, indexSync } = this.#parts
    const want = flows.index.blob(hash)?.want
    return want !== undefined && indexSync.beliefs.holds(peerId, wantMs(want))
  }

  holders(among: 'all' | 'connected' = 'all'): (version: Version) => readonly string[] {
    const { indexSync, seen, flows, admitted } = this.#parts
    const { beliefs } = indexSync
    indexSync.refresh()
    const isAway = (id: string) => flows.clock.now() - (seen.at(id) ?? 0) > AWAY_MS
    const others =
      among === 'connected'
        ? admitted.peers().map(({ id }) => id)
        : this.others().filter((id) => !isAway(id))
    const named = others.map((id) => ({ id, name: this.nameOf(id) }))
    named.sort((a, b) => (a.name < b.name ? -1 : 1))
    return (version) => {
      const ms = versionMs(version)
      return named.filter(({ id }) => beliefs.holds(id, ms)).map(({ name }) => name)
    }
  }

  unheld(): BucketRanges {
    const { indexSync, admitted } = this.#parts
    let left = ALL_BUCKETS
    for (const { id } of admitted.peers()) {
      left = intersectionOf(left, indexSync.beliefs.unheld(id))
    }
    return left
  }

  async hear(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { indexSync, flows } = this.#parts
    const heard = new AbortController()
    const late = sleep(flows.clock, timeoutMs, AbortSignal.any([signal, heard.signal]))
    try {
      await Promise.race([indexSync.askAll(), late])
    } finally {
      heard.abort()
    }
  }

  async askHolders(
    hash: ContentHash,
    version: Version | undefined,
    timeoutMs: number,
    signal: AbortSignal
  ): Promise<readonly HolderAnswer[]> {
    const { holders, indexSync, admitted, redial } = this.#parts
    const answers = await holders.explain(hash, timeoutMs, signal)
    const connected = new Set(admitted.peers().map(({ id }) => id))
    const servers = new Map(this.#servers().map((server) => [server.peerId, server]))
    return this.others().map((id) => ({
      name: this.nameOf(id),
      has: answers.get(id)?.has,
      copy: answers.get(id)?.copy,
      believed: version !== undefined && indexSync.beliefs.holds(id, versionMs(version)),
      lag: version === undefined ? undefined : indexSync.lag(id),
      connected: connected.has(id),
      state: servers.get(id)?.state,
      lastSeenMs: servers.get(id)?.lastSeenMs,
      lastCause: servers.get(id)?.lastCause,
      nextDialMs: connected.has(id) ? undefined : redial()?.nextMs(id)
    }))
  }

  async whenHeld(
    hash: ContentHash,
    count: number,
    timeoutMs: number,
    signal: AbortSignal
  ): Promise<readonly string[]> {
    const enough = Math.min(count, this.others().length)
    const ids = await this.#parts.holders.whenHeld(hash, enough, timeoutMs, signal)
    return ids.map((id) => this.nameOf(id)).sort()
  }

  watch(path: ImagePath): ChangeWatch {
    const watch = this.#parts.indexSync.watch(path)
    return {
      end: () => watch.end(),
      reach: async (version, timeoutMs) => {
        try {
          return await this.#reach(watch, version, timeoutMs)
        } finally {
          watch.end()
        }
      }
    }
  }

  standing(hash: ContentHash): Promise<Standing> {
    return standingOf(this.#parts.flows, hash, this.#fetching())
  }

  failedBlobs(): number {
    const { book, flows } = this.#parts
    let [count, looked] = [0, 0]
    for (const hash of book.failures()) {
      if (flows.index.blob(hash)?.want !== undefined) count++
      if (++looked === FAILURES_MAX) break
    }
    return count
  }

  traffic(): Traffic {
    const { network, replicator, sentBlobs, flows } = this.#parts
    const { bytesIn, bytesOut } = network.traffic()
    const saved = flows.packing.saved
    return {
      bytesReceived: bytesIn,
      bytesSent: bytesOut,
      bytesSavedReceiving: saved.received,
      bytesSavedSending: saved.sent,
      blobsReceived: replicator.received().blobs,
      blobsSent: sentBlobs(),
      receiveRate: replicator.receiveRate(),
      transfers: replicator
        .transfers()
        .map((transfer) => ({ ...transfer, from: this.nameOf(transfer.peerId) }))
    }
  }

  async figures(): Promise<readonly Figure[]> {
    return (await this.#parts.network.figures?.()) ?? []
  }

  isFetching(): boolean {
    const { admitted, flows, replicator } = this.#parts
    if (replicator.transfers().length > 0) return true
    if (!this.#fetchAll || admitted.peers().length === 0) return false
    return flows.index.counts().wants > this.failedBlobs()
  }

  /** What is wrong between this node and the others. */
  troubles(): readonly Cause[] {
    const { flows, admitted, network, members } = this.#parts
    const servers = this.#servers()
    const none = admitted.peers().length === 0
    const counts = flows.index.counts()
    const wanted = servers.length === 0 ? neverHere(counts) : counts.wants
    const lacking = none ? wanted : this.failedBlobs()
    const lost = this.#fetchAll ? unreachableTrouble(servers, lacking) : undefined
    const removed = members.isRemoved ? causeOf('removed', REMOVED) : undefined
    const fault = network.fault ?? this.#parts.twins.fault
    return [
      fault === undefined ? undefined : causeOf('twin', fault),
      removed,
      ...clockTroubles(servers),
      ...diskTroubles(servers),
      lost
    ].filter((trouble) => trouble !== undefined)
  }

  #fetching(): Fetching {
    const { book, flows, admitted, replicator } = this.#parts
    const { clock } = flows
    const timeOf = (monotonicMs: number) =>
      clock.now() + Math.max(monotonicMs - clock.monotonicMs(), 0)
    return {
      fetchAll: this.#fetchAll,
      hasPeers: () => admitted.peers().length > 0,
      sender: (hash) => {
        const coming = replicator.transfers().find((transfer) => transfer.hash === hash)
        return coming && this.nameOf(coming.peerId)
      },
      want: (hash) => {
        const note = book.note(hash)
        return note && { ...note, nextTryMs: timeOf(note.nextTryMs) }
      },
      pausedUntilMs: () => {
        const untilMs = replicator.pausedUntilMs
        return untilMs === undefined ? undefined : timeOf(untilMs)
      }
    }
  }

  #servers(): readonly ServerStatus[] {
    const { network, members, meetings, indexSync, seen, redial, flows } = this.#parts
    const peers = new Map(network.peers().map((peer) => [peer.id, peer]))
    const known = new Map(members.others().map((member) => [member.id, member]))
    const facts = [...new Set([...known.keys(), ...peers.keys()])].map((id) => ({
      id,
      member: known.get(id),
      peer: peers.get(id),
      waits: meetings.waits(id),
      heard: meetings.heard(id),
      report: indexSync.beliefs.report(id),
      etaSeconds: indexSync.beliefs.etaSeconds(id),
      failure: redial()?.failure(id),
      seenMs: seen.at(id),
      faults: network.counters(id).faults
    }))
    const nowMs = flows.clock.now()
    return facts.map((one) => serverOf(one, nowMs)).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async #reach(watch: PushWatch, version: Version, timeoutMs: number): Promise<Reach> {
    const { admitted, flows } = this.#parts
    let isLate = false
    const late = Promise.withResolvers<void>()
    const cancel = flows.clock.after(timeoutMs, () => {
      isLate = true
      late.resolve()
    })
    const { beliefs } = this.#parts.indexSync
    const reachedNow = () => {
      const told = watch.reached(version)
      const compared = beliefs.peers().filter((id) => beliefs.holds(id, versionMs(version)))
      return [...new Set([...told, ...compared])]
    }
    const isPending = () => {
      const reached = reachedNow()
      return admitted.peers().some(({ id }) => !reached.includes(id))
    }
    while (!isLate && isPending()) await Promise.race([watch.next(), late.promise])
    cancel()
    const reached = reachedNow()
    const names = (ids: readonly string[]) => ids.map((id) => this.nameOf(id)).sort()
    return {
      reached: names(reached),
      pending: names(this.others().filter((id) => !reached.includes(id)))
    }
  }
}

/** Images whose bytes have not come yet; those that were here and are lost are told of apart. */
function neverHere({
  images,
  heldImages,
  damagedImages,
  missingImages,
  blockedImages
}: Counts): number {
  return images - heldImages - damagedImages - missingImages - blockedImages
}
