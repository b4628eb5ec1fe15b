// The part of a node that meets others: network, index sync and replication, put together.

import { type Entry, isImage, KIND_RECORD } from '../../protocols/entry.ts'
import type { ContentHash } from '../../protocols/hash.ts'
import { oneLog, type PartLogs } from '../base/log-levels.ts'
import { type Loop, startLoop } from '../base/loop.ts'
import { Authors } from '../blob-sync/authors.ts'
import { BlobPeers } from '../blob-sync/blob-peers.ts'
import { WantBook } from '../blob-sync/want-book.ts'
import type { IntakeThread } from '../flows/intake-thread.ts'
import { hasRecord, memberDatabases, wasRemoved } from '../flows/members.ts'
import type { FileSyncOptions } from '../flows/options.ts'
import type { FlowParts, Remote } from '../flows/parts.ts'
import { type ReplicateOptions, Replicator } from '../flows/replicate.ts'
import type { ServerStatus } from '../flows/status.ts'
import { IndexSync } from '../index-sync/index-sync.ts'
import type { Lanes } from '../network/lanes.ts'
import type { Network } from '../network/network.ts'
import { type Redial, startRedial } from '../network/redial.ts'
import { TwinWatch } from '../network/twin-watch.ts'
import { AdmittedNetwork } from './admitted-network.ts'
import type { ClusterFacts } from './cluster.ts'
import { ClusterIds } from './cluster-ids.ts'
import { catchingUpOf, firstComparison } from './first-comparison.ts'
import { createFollower } from './follower.ts'
import { HandPicked, type HandPickedParts, type Picks } from './hand-picked.ts'
import { Histories } from './histories.ts'
import { Holders } from './holders.ts'
import { type Decisions, decisionsOf, Joining } from './joining.ts'
import { openerOf } from './lane-opener.ts'
import { LastSeen } from './last-seen.ts'
import { Learner } from './learn.ts'
import { type MeetingParts, Meetings } from './meetings.ts'
import { MemberList } from './member-list.ts'
import { MeshStatus } from './mesh-status.ts'
import { Rotating } from './rotating.ts'
import { SecretKeeper, type SecretKeeperParts } from './secret-keeper.ts'
import { servePeers } from './serve-peers.ts'
import { openTicketOffice } from './ticket-office.ts'
import { planTwinSign } from './twin-signs.ts'
import { OwnWants } from './wants-of.ts'

export interface MeshParts extends Pick<MeetingParts, 'about'> {
  readonly network: Network
  /** Without them bulk bytes pass on streams of the network. */
  readonly lanes?: Lanes | undefined
  /** The thread that takes bulk bytes in, where there is one. */
  readonly intake?: IntakeThread | undefined
  readonly flows: FlowParts
  /** Undefined: that of the flows for all. */
  readonly logs?: PartLogs | undefined
  /** Hears that the network listens. */
  readonly onListen: () => Promise<void>
  /** Turns http://host:8000 into the multiaddrs of a node of this cluster; a multiaddr passes. */
  readonly resolve: (
    target: string,
    cluster: string,
    signal: AbortSignal
  ) => Promise<readonly string[]>
  readonly saveCluster: SecretKeeperParts['save']
  readonly readJoins: HandPickedParts['readJoins']
  readonly saveJoins: HandPickedParts['saveJoins']
}

export interface MeshOptions extends Pick<ReplicateOptions, 'fetchAll' | 'syncTimeoutMs'>, Picks {
  readonly sync: FileSyncOptions
  readonly cluster: ClusterFacts
}

export interface Mesh extends Remote, Decisions {
  start(): Promise<void>
  stop(): Promise<void>
  /** Compares with all peers and tries every want, whatever its back-off. */
  syncNow(): Promise<void>
  /** The disk was full: what failed on it may be there all the same, and nobody was told of it. */
  heal(): Promise<void>
  /** Resolves once this node knows what others have deleted; see firstComparison. */
  compared(signal: AbortSignal): Promise<void>
  addresses(): readonly string[]
  /** Under which name and secret this node meets others now. */
  cluster(): ClusterFacts
  servers(): readonly ServerStatus[]
  /** What more can be said of the mesh. */
  readonly status: MeshStatus
  /** Tells the members that this node will be off until then, or is back. */
  sayAway(untilMs: number | undefined): Promise<void>
  awayUntilMs(): number | undefined
}

/** How often peers that have not been heard yet are thought of. */
const GREET_MS = 1_000
/** Addresses change where a network gives them anew. */
const ANNOUNCE_MS = 30_000
/** `join` may leave a target while this node is coming up. */
const JOIN_MS = 10_000
/** Each of two nodes with one identity says again and again where it is: see ANNOUNCE_MS. */
const TWIN_GONE_MS = 3 * 60_000
/** How often it is written down who is here, for a node that ends without a word. */
const SEEN_MS = 10 * 60_000
/** While something is lacking here: how often others are asked what they have. */
const ASK_MS = 5_000
/** How long who asks what other servers have waits for the slowest of them. */
const FIND_MS_MAX = 2_000

export function createMesh(given: MeshParts, options: MeshOptions): Mesh {
  const parts = withLogs(given)
  const { network, flows, logs } = parts
  const { index, clock, random } = flows
  const { sync } = options
  const loops: Loop[] = []
  let redial: Redial | undefined
  const begin = (name: string, everyMs: number, work: (signal: AbortSignal) => Promise<unknown>) =>
    loops.push(startLoop(flows, { name, firstMs: everyMs, everyMs }, work))
  const meeting = createMeeting(parts, options)
  const { meetings, members, keeper, picked, resolve } = meeting
  const syncing = createSyncing(parts, options, meeting, () => redial)
  const { indexSync, replicator, follower, holders, histories, seen, status } = syncing
  const compare = (peerId: string) => indexSync.compare(peerId)
  const joining = new Joining({
    ...{ network, flows, meetings, members, keeper, resolve, compare },
    tickets: openTicketOffice(parts, () => keeper.facts)
  })

  const remembered = () => [...picked.remembered(), ...seen.newestFirst(members.remembered())]
  const facts = {
    clock,
    hasCompared: () => indexSync.hasCompared,
    knowsOthers: () => remembered().length + network.peers().length > 0,
    isPastLost: () => index.meta('pastLost') === true
  }

  return {
    async start() {
      await meetings.prepare()
      await members.refresh()
      await listen(parts)
      await members.announceSelf()
      await members.refresh()
      const dial = picked.dial.bind(picked)
      redial = startRedial({ clock, random, log: logs.network, network, dial, remembered })
      begin('compare', sync.syncIntervalMs, () => indexSync.compareOne())
      begin('seen', SEEN_MS, () => seen.save())
      begin('ask', ASK_MS, async () => {
        if (index.counts().wants > 0) indexSync.refresh()
      })
      begin('announce', ANNOUNCE_MS, () => members.announceSelf())
      begin('join', JOIN_MS, (signal) => picked.follow((target) => joining.meet(target, signal)))
      begin('greet', GREET_MS, async () => meetings.greetDue())
      replicator.wake()
    },
    async stop() {
      await redial?.stop()
      await Promise.all(loops.map((loop) => loop.stop()))
      await Promise.all([meetings.stop(), keeper.stop(), indexSync.stop(), replicator.stop()])
      await Promise.all([holders.stop(), histories.stop()])
      await Promise.all([parts.lanes?.stop(), network.stop()])
      await follower.idle()
    },
    ...reading(syncing),
    ...catchingUp(syncing),
    isCatchingUp: catchingUpOf({
      ...facts,
      // those that are of another mesh say nothing of this one's images
      knowsOthers: () => remembered().length + meeting.admitted.peers().length > 0
    }),
    compared: (signal) => firstComparison(facts, signal),
    ...decisionsOf(joining, new Rotating({ flows, keeper, members, meetings })),
    ...absence(members),
    addresses: () => network.addresses(),
    cluster: () => keeper.facts,
    servers: () => status.servers(),
    status
  }
}

function absence(members: MemberList): Pick<Mesh, 'sayAway' | 'awayUntilMs'> {
  return {
    sayAway: (untilMs) => members.sayAway(untilMs),
    awayUntilMs: () => members.awayUntilMs
  }
}

async function listen({ lanes, network, onListen }: MeshParts): Promise<void> {
  await lanes?.start()
  await network.start()
  await onListen()
}

type LoggedParts = MeshParts & { readonly logs: PartLogs }

function withLogs(parts: MeshParts): LoggedParts {
  const { flows, logs = oneLog(flows.log) } = parts
  return { ...parts, logs, flows: { ...flows, log: logs.mesh } }
}

type Meeting = ReturnType<typeof createMeeting>
type Syncing = ReturnType<typeof createSyncing>

/** Who is met, and who of them belongs to this mesh. */
function createMeeting(parts: MeshParts, options: MeshOptions) {
  const { network, flows } = parts
  const { index, clock, random, log } = flows
  const admitted = new AdmittedNetwork({ network, clock })
  const keeper = new SecretKeeper(
    { network, admitted, clock, log, save: parts.saveCluster, onTaken: () => closeLanes(parts) },
    options.cluster
  )
  const clusterIds = new ClusterIds({ index, random })
  const haveSecret = () => keeper.facts.secret !== undefined
  const members = new MemberList({ network, flows })
  const isMember = (id: string) => members.has(id)
  const meetings = new Meetings({ ...parts, admitted, clusterIds, haveSecret, isMember })
  const resolve = (target: string, signal: AbortSignal) =>
    parts.resolve(target, keeper.facts.name, signal)
  const merge = (peerId: string) => meetings.merge(peerId)
  const picked = new HandPicked({ ...parts, log, resolve, merge }, options)
  return { admitted, keeper, clusterIds, meetings, members, picked, resolve }
}

/** What keeps this node and its peers equal: entries, then the blobs that they name. */
function createSyncing(
  { network, lanes, intake, flows, logs }: LoggedParts,
  options: MeshOptions,
  { admitted, meetings, members, clusterIds }: Meeting,
  redial: () => Redial | undefined
) {
  const { index, clock, random } = flows
  const { sync } = options
  const follower = createFollower(flows)
  const peers = new BlobPeers({ ...flows, network: admitted, lanes: openerOf(lanes, intake) }, sync)
  const ownWants = new OwnWants(flows)
  const book = new WantBook({ clock, random }, sync)
  const authors = new Authors()
  const believes = (peerId: string, hash: ContentHash) =>
    authors.of(hash) === peerId || status.believes(peerId, hash)
  const replicator = new Replicator(
    {
      flows: { ...flows, log: logs.blobs },
      network: admitted,
      peers,
      book,
      believes,
      pathOf: (hash) => authors.pathOf(hash)
    },
    { ...options, batchSize: sync.batchSize }
  )
  const twins = new TwinWatch({ log: logs.network, clock }, { goneMs: TWIN_GONE_MS })
  const facts = { ownId: network.id, startedMs: clock.now() }
  const lookForTwin = (entries: readonly Entry[]) => {
    const sign = planTwinSign(entries, facts)
    if (sign !== undefined) twins.met(sign.place)
  }
  const readRecords = () =>
    Promise.all([members.refresh(), clusterIds.refresh()]).catch((error) =>
      logs.mesh.warn({ err: error }, 'the records of the mesh could not be read')
    )
  const indexSync = new IndexSync({
    ...{ network: admitted, index, clock, random, log: logs.sync },
    ...{ members: memberDatabases, wasRemoved, hasRecord },
    wants: async () => {
      const { state, sinceMs } = flows.room.status()
      return { ...(await ownWants.tell()), disk: { state, sinceMs } }
    },
    reportMsMax: sync.syncIntervalMs,
    onComing: (images, written) => {
      authors.note(images)
      replicator.coming(images, written)
    },
    onMerged: (entries, { hasSteps }) => {
      if (hasSteps) follower.follow()
      authors.note(entries)
      lookForTwin(entries)
      if (entries.some(({ kind }) => kind === KIND_RECORD)) void readRecords()
      replicator.came(entries.flatMap((entry) => (isImage(entry) ? [entry.hash] : [])))
    }
  })
  index.onLost(() => replicator.wake())
  const served = servePeers(admitted, lanes, flows, (hash) => status.standing(hash))
  const holders = new Holders({ network: admitted, clock })
  const histories = new Histories({ network: admitted, clock })
  const learner = new Learner({ network: admitted, indexSync, histories })
  const seen = new LastSeen({ network: admitted, flows })
  const sentBlobs = () => served.reads()
  const known = { network, admitted, flows, members, meetings, redial, sentBlobs }
  const asked = { indexSync, replicator, book, holders, seen, twins }
  const status = new MeshStatus({ ...known, ...asked }, options)
  admitted.onPeer((peer, event) => {
    if (event === 'down') return peers.drop(peer.id)
    peers.greet(peer.id, options.syncTimeoutMs)
    book.peerCame(peer.id, admitted.peers())
    replicator.wake()
  })
  const asking = { holders, histories, learner, seen, status }
  return { book, indexSync, replicator, follower, readRecords, ...asking }
}

function catchingUp({ book, indexSync, replicator, readRecords }: Syncing) {
  const syncNow = async () => {
    book.retryAll()
    await indexSync.compareAll()
    replicator.wake()
  }
  const heal = async () => {
    indexSync.beliefs.doubtAll()
    await readRecords()
    await syncNow()
  }
  return { syncNow, heal }
}

/** What a reader asks of other servers. */
function reading({
  replicator,
  holders,
  histories,
  learner,
  status
}: Syncing): Omit<Remote, 'isCatchingUp'> {
  return {
    learn: (path) => learner.learn(path),
    async fetch(hash) {
      const peerId = await replicator.fetchNow(hash)
      return peerId && status.nameOf(peerId)
    },
    async open(hash) {
      const opened = await replicator.open(hash)
      return opened && { blob: opened.blob, from: status.nameOf(opened.peerId) }
    },
    async find(hash) {
      const answers = await holders.ask(hash, FIND_MS_MAX, new AbortController().signal)
      const [peerId] = [...answers].find(([, has]) => has) ?? []
      return peerId && status.nameOf(peerId)
    },
    async history(path) {
      const told = await histories.ask(path, FIND_MS_MAX)
      const servers = [...told].map(([peerId, { current, past, isAll }]) => ({
        ...{ peerId, name: status.nameOf(peerId), current, isAll },
        past: past.map(({ entry }) => entry)
      }))
      const silent = status.others().filter((id) => !told.has(id))
      return { servers, silent: silent.map((id) => status.nameOf(id)).sort() }
    },
    bring: (hash, bytes, peerIds) => replicator.bring(hash, bytes, peerIds)
  }
}

/** Who had a key under the former secret gets a new one over a connection that stands. */
function closeLanes({ lanes }: MeshParts): void {
  lanes?.close(new Error('the secret of the mesh is another now'))
}
