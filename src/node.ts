// The composition root: builds the parts bottom up, gives them to each other, starts and stops them
// in order.

import type { Config } from '../config/schema.ts'
import type { ContentHash } from '../protocols/hash.ts'
import { Alerts } from './alerts/alerts.ts'
import { Activity } from './base/activity.ts'
import { type Clock, type Random, systemClock, systemRandom } from './base/clock.ts'
import type { FailPoints } from './base/fail-point.ts'
import { isoTime } from './base/iso-time.ts'
import { KeyedLock } from './base/keyed-lock.ts'
import type { Log } from './base/log.ts'
import { LogLevels, type PartLogs } from './base/log-levels.ts'
import { PRODUCT_VERSION } from './base/product-version.ts'
import { RequestCount } from './base/request-count.ts'
import { TaskBoard } from './base/task-board.ts'
import { Packing } from './blob-sync/packing.ts'
import { Traffic } from './blob-sync/traffic.ts'
import { createInspector } from './content/inspect.ts'
import { Thumbnailer } from './content/thumbnailer.ts'
import { createDuties, type Duties, type DutyParts } from './duties.ts'
import { Blocks } from './flows/blocks.ts'
import { Brakes } from './flows/brakes.ts'
import { followConfirmations } from './flows/decide-brakes.ts'
import { BlockEnforcer } from './flows/enforce-blocks.ts'
import { Feed } from './flows/feed.ts'
import type { IngestOptions } from './flows/ingest.ts'
import { Journal } from './flows/journal.ts'
import { noteOwnKeys } from './flows/keys.ts'
import { noteDamage, orMend } from './flows/mend-index.ts'
import type { FlowParts, Locks } from './flows/parts.ts'
import { recover } from './flows/recover.ts'
import { endRun } from './flows/run-end.ts'
import { Settler } from './flows/settle.ts'
import { type NodeStatus, statusOf } from './flows/status.ts'
import { tellFeed } from './flows/tell-feed.ts'
import { Thumbnails } from './flows/thumbnails.ts'
import type { Greeting } from './greeting.ts'
import { openGuarding, openScanner } from './guarding.ts'
import type { NodeFacts, SettingFact } from './http/ports.ts'
import { createHttpServer } from './http/server.ts'
import { isDamage } from './index/database-error.ts'
import { openDatabase } from './index/open-database.ts'
import { openIndex } from './index/open-index.ts'
import { forgetDamaged, repairDatabase } from './index/repair-database.ts'
import { endRunOf } from './index/unreadable-files.ts'
import type { Mesh } from './mesh/mesh.ts'
import { openMesh } from './mesh/open-mesh.ts'
import { remoteOf } from './mesh/remote.ts'
import { loadIdentity, meshFiles, metadataFiles, readJournal } from './metadata-files.ts'
import type { Identity } from './network/identity.ts'
import { openIntake } from './open-intake.ts'
import { statusSources } from './status-sources.ts'
import { GroupCommit } from './store/commit.ts'
import { DiskBlobs } from './store/disk-blobs.ts'
import { DiskRoom } from './store/disk-room.ts'
import { DiskView } from './store/disk-view.ts'
import { type Folder, openFolder, requireMarker } from './store/folder.ts'
import { IndexReserve } from './store/index-reserve.ts'
import { sweepUnfinished, writeFileAtomic } from './store/small-file.ts'
import { systemSyncCalls } from './store/sync-calls.ts'
import { ThumbnailFiles } from './store/thumbnail-files.ts'
import { loadStaticFiles } from './web/static-files.ts'

export interface NodeParts {
  readonly log: Log
  readonly failPoints: FailPoints
  /** Where this user's programs keep state: it remembers which data folder is which. */
  readonly stateDir: string
  readonly clock?: Clock
  readonly random?: Random
  /** The configuration, for who asks what it is. */
  readonly settings?: readonly SettingFact[]
}

export interface Node {
  /** Complete once the node has started. */
  readonly info: Greeting
  /**
   * Finishes what the last run left open, then listens. Errors: PORT_TAKEN, ADDRESS_UNUSABLE, disk
   * errors.
   */
  start(): Promise<void>
  /** Lets open requests end, writes what is left to write and closes the index. */
  stop(): Promise<void>
}

/**
 * Opens the data folder and its index. Errors: those of openFolder and openDatabase, BAD_CONFIG.
 */
export async function createNode(config: Config, nodeParts: NodeParts): Promise<Node> {
  const parts = { clock: systemClock, random: systemRandom, settings: [], ...nodeParts }
  const { log, clock, random, stateDir } = parts
  const levels = new LogLevels(log, config.logLevels)
  const logs = levels.parts
  const { localPath, reserve } = config.fileStorage
  const acceptNew = config.acceptFolder
  const folder = await openFolder(
    { random, log: logs.store },
    { path: localPath, stateDir, acceptNew }
  )
  const files = metadataFiles(folder)
  const room = await DiskRoom.open({ clock }, { path: folder.path, reserve })
  const damage: string[] = []
  // from here on nobody else uses the folder
  const database = await openDatabase(files.index, (what) => damage.push(what))
  try {
    sweepUnfinished(folder.metadata)
    const identity = await loadIdentity(files)
    const indexReserve = new IndexReserve(
      { random },
      { folder: folder.metadata, reservedBytes: () => room.status().reserved }
    )
    const requireWritable = () => {
      requireMarker(folder)
      indexReserve.give()
    }
    const repair = (what: string) => repairDatabase(files.index, what)
    const onWhole = () => forgetDamaged(files.index)
    const openIt = () =>
      openIndex(
        { ...parts, database, requireWritable, repair, onWhole },
        { writer: identity.peerId, pastLost: !folder.isNew }
      )
    const index = await openIt().catch(async (error) => {
      if (!isDamage(error)) throw error
      damage.push(error.message)
      await database.close()
      await repair(error.message)
      await database.open()
      return openIt()
    })
    let mesh: Mesh | undefined
    const remote = remoteOf(() => mesh, { index, ownId: identity.peerId })
    const activity = new Activity(() => clock.monotonicMs())
    const brakes = new Brakes({ ...parts, index, log: logs.flows })
    const blocks = await Blocks.open({ ...parts, index, brakes, log: logs.flows })
    const made = createFlows(config, parts, { folder, index, brakes, blocks, room, logs })
    followConfirmations(made)
    const scanner = openScanner(config, made)
    const flows = { ...made, scanner, remote, activity, requests: new RequestCount() }
    if (damage.length > 0) await noteDamage(flows, damage)
    await noteOwnKeys(index)
    let port: number | undefined
    const httpPort = () => port
    const { store, packing } = made
    const intake = openIntake({ ...flows, log: logs.blobs, folder, store, packing })
    const forMesh = { identity, files: meshFiles(files), httpPort, intake, logs }
    mesh = await openMesh(config, { flows, ...forMesh })
    const onListen = (listening: number) => {
      port = listening
    }
    const wasDamaged = damage.length > 0
    const opened = { folder, flows, room, indexReserve, mesh, identity, onListen, wasDamaged }
    return await compose(config, { ...parts, levels }, opened)
  } catch (error) {
    await database.close()
    throw error
  }
}

type Base = Required<NodeParts>

function createFlows(
  config: Config,
  base: Base,
  {
    folder,
    index,
    brakes,
    blocks,
    room,
    logs
  }: Pick<FlowParts, 'index' | 'brakes' | 'blocks'> & {
    readonly folder: Folder
    readonly room: DiskRoom
    readonly logs: PartLogs
  }
): FlowParts & { readonly store: DiskBlobs } {
  const files = metadataFiles(folder)
  const parts = { ...base, log: logs.flows }
  const onDisk = { ...base, log: logs.store, folder }
  const commit = new GroupCommit(systemSyncCalls(), { folder: folder.path })
  const store = new DiskBlobs({ ...onDisk, commit })
  const view = new DiskView({ ...onDisk, commit }, { mode: config.images.view })
  const locks: Locks = { path: new KeyedLock(), blob: new KeyedLock() }
  const bytesMax = config.fileStorage.thumbnailsSizeBytes
  const thumbnails = new Thumbnails({
    files: new ThumbnailFiles(onDisk, { bytesMax }),
    drawer: new Thumbnailer(parts)
  })
  const onRemoved = (hash: ContentHash) => thumbnails.drop(hash)
  const settler = new Settler({ ...parts, index, store, view, locks, onRemoved })
  const write = (text: string) => writeFileAtomic(files.journal, text)
  const journal = new Journal({ ...parts, write }, readJournal(files))
  const inspect = createInspector(parts)
  const feed = new Feed(parts)
  tellFeed({ feed, index, journal })
  const traffic = new Traffic(parts, config.traffic.limits)
  const packing = new Packing({ traffic }, config.traffic.compress)
  const made = { index, store, view, inspect, room, settler, journal, feed, brakes, locks }
  return { ...parts, ...made, traffic, packing, thumbnails, blocks, name: config.name }
}

interface Opened {
  readonly folder: Folder
  readonly flows: FlowParts
  readonly room: DiskRoom
  readonly indexReserve: IndexReserve
  readonly mesh: Mesh | undefined
  readonly identity: Identity
  readonly onListen: (port: number) => void
  /** The index was found damaged. */
  readonly wasDamaged: boolean
}

/** What duties have to do with other servers. */
function withOthers(mesh: Mesh | undefined): Pick<DutyParts, 'onHealed' | 'compared'> {
  return {
    onHealed: () => void mesh?.heal(),
    compared: async (signal) => mesh?.compared(signal)
  }
}

async function compose(
  config: Config,
  parts: Base & { readonly levels: LogLevels },
  { folder, flows, room, indexReserve, mesh, identity, onListen, wasDamaged }: Opened
): Promise<Node> {
  const { clock, log, settings, levels } = parts
  const logs = levels.parts
  const ofHttp = { ...flows, log: logs.http }
  const { peerId } = identity
  const files = metadataFiles(folder)
  const tasks = new TaskBoard(parts)
  const enforcer = new BlockEnforcer(flows)
  const options = ingestOptions(config)
  const duties = createDuties(
    { flows, tasks, folder, room, indexReserve, ...withOthers(mesh) },
    { ...config, ingest: options }
  )
  const status = () => statusOf(statusSources({ folder, flows, room, mesh, tasks, duties }))
  const alerts = createAlerts(config, { clock, log: logs.alerts }, { status, peerId })
  const cluster = () => mesh?.cluster()
  const { guard, ...guarding } = await openGuarding(config, ofHttp, files, cluster)
  const page = await loadStaticFiles()
  const { exportIndex, adopting, adoptFolders } = duties
  const node = factsOf(config, { peerId, mesh, startedAtMs: clock.now() })
  const http = createHttpServer(
    {
      ...{ flows, tasks, status, node, clock, log: logs.http, levels, page, exportIndex },
      ...{ ...guarding, adopting, adoptFolders, mesh, meshStatus: mesh?.status, settings }
    },
    guard,
    {
      ...config.http,
      ingest: options,
      ...{ trashKeepMs: config.fileStorage.trashKeepMs, scrubMs: config.scrub.intervalMs },
      sync: config.fileSync
    }
  )
  let ports: Pick<Greeting, 'httpUrl' | 'tlsPort'> = { httpUrl: '', tlsPort: undefined }
  return {
    get info() {
      const { name } = config
      return { name, peerId, ...ports, dataFolder: folder.path, meets: meetsOf(config, mesh) }
    },
    async start() {
      const { wasBrokenOff } = await orMend(flows, () => prepare(flows, duties, enforcer))
      const { port, tlsPort } = await http.listen()
      ports = { httpUrl: `http://127.0.0.1:${port}`, tlsPort }
      onListen(port)
      await mesh?.start()
      duties.start({ wasBrokenOff, wasDamaged })
      alerts.start()
      log.info({ port, peer: peerId, folder: folder.path }, 'the node runs')
    },
    async stop() {
      flows.feed.end() // who watches would keep the server from closing
      await http.close()
      flows.thumbnails?.stop()
      await mesh?.stop()
      await alerts.stop()
      await duties.stop()
      await tasks.stop()
      await enforcer.idle()
      await flows.settler.idle()
      await duties.exportAtStop()
      await flows.journal.flush()
      await guarding.audit.stop()
      await endRun(flows.index)
      await flows.index.close()
      if (flows.index.fault?.code === 'DISK_FAULT') endRunOf(files.index, { isDoubted: true })
      log.info('the node has stopped')
    }
  }
}

async function prepare(flows: FlowParts, duties: Duties, enforcer: BlockEnforcer) {
  const lastRun = await recover(flows)
  await enforcer.enforceAll()
  await duties.prepare()
  return lastRun
}

function createAlerts(
  { name, alerts }: Config,
  { clock, log }: Pick<FlowParts, 'clock' | 'log'>,
  { status, peerId }: { readonly status: () => NodeStatus; readonly peerId: string }
): Alerts {
  const look = () => {
    const { health, reasons } = status()
    return { node: name, peer_id: peerId, status: health, reasons, at: isoTime(clock.now()) }
  }
  return new Alerts({ clock, log, look }, alerts)
}

function factsOf(
  { name, cluster }: Config,
  facts: Pick<NodeFacts, 'peerId' | 'startedAtMs'> & { readonly mesh: Mesh | undefined }
): NodeFacts {
  const { peerId, mesh, startedAtMs } = facts
  return {
    ...{ name, peerId, version: PRODUCT_VERSION, startedAtMs },
    /** An invite may change it. */
    get cluster() {
      return mesh?.cluster().name ?? cluster.name
    }
  }
}

function meetsOf({ cluster }: Config, mesh: Mesh | undefined): Greeting['meets'] {
  const { name, secretFile } = cluster
  const fixed = secretFile && ` --cluster ${name} --secret-file ${secretFile}`
  return mesh && { flags: fixed ?? '', onLinkOnly: !mesh.cluster().secret }
}

function ingestOptions({ fileStorage }: Config): IngestOptions {
  return {
    maxFileSizeBytes: fileStorage.maxFileSizeBytes,
    allowedExtensions: new Set(fileStorage.allowedExtensions),
    strict: fileStorage.content === 'strict',
    minPixels: fileStorage.minPixels,
    maxPixels: fileStorage.maxPixels
  }
}
