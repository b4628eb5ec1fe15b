// Makes the mesh of a node from its configuration and from what it was told while it ran.

import { networkInterfaces } from 'node:os'
import type { Config } from '../../config/schema.ts'
import { decodeInvite, isInvite } from '../../protocols/invite.ts'
import { NodeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { PartLogs } from '../base/log-levels.ts'
import { PRODUCT_VERSION } from '../base/product-version.ts'
import type { IntakeThread } from '../flows/intake-thread.ts'
import { targetKind } from '../flows/join-targets.ts'
import type { FlowParts } from '../flows/parts.ts'
import { readSecret } from '../network/admission.ts'
import { CounterTable } from '../network/counters.ts'
import type { Identity } from '../network/identity.ts'
import { Lanes } from '../network/lanes.ts'
import { Libp2pNetwork } from '../network/libp2p-network.ts'
import { mdnsRouteFault } from '../network/multicast-route.ts'
import { remotePeers } from '../network/remote-peers.ts'
import { readRouteTable } from '../network/route-table.ts'
import { readSmallFile } from '../store/small-file.ts'
import {
  admissionOf,
  type ClusterFacts,
  clusterText,
  factsAfter,
  joinedMs,
  planTaking,
  ROTATED,
  readClusterText
} from './cluster.ts'
import { createMesh, type Mesh } from './mesh.ts'
import { resolveTarget } from './resolve-target.ts'

const SECRET_FILE_BYTES_MAX = 4096
const PORT_META = 'p2p-port'
const LANE_PORT_META = 'lane-port'
const DEFAULT_CLUSTER = 'default'

/** What the data folder keeps of the mesh. */
export interface MeshFiles {
  /** The secret that was taken over while the node ran, and the file that holds it. */
  readonly cluster: { readonly text: string | undefined; readonly file: string }
  readonly saveCluster: (text: string) => Promise<void>
  /** What `join` left while the node was stopped. */
  readonly readJoins: () => readonly string[]
  readonly saveJoins: (targets: readonly string[]) => Promise<void>
}

export interface OpenMeshParts {
  readonly flows: FlowParts
  readonly identity: Identity
  readonly files: MeshFiles
  readonly httpPort: () => number | undefined
  readonly intake: IntakeThread
  readonly logs: PartLogs
}

/** Undefined where sync is switched off. Errors: BAD_CONFIG. */
export async function openMesh(
  config: Config,
  { flows, identity, files, httpPort, intake, logs }: OpenMeshParts
): Promise<Mesh | undefined> {
  const { p2p, fileSync, fileStorage } = config
  if (!fileSync.enabled) return undefined
  const { clock, random, index } = flows
  const log = logs.mesh
  const base = { clock, random, log: logs.network }
  const fault = p2p.mdns ? mdnsRouteFault(readRouteTable) : undefined
  if (fault !== undefined) log.warn(fault)
  const known = (await fixedCluster(config)) ?? keptCluster(config, files)
  const { cluster, joins } = await followInvites(known, files, { log, nowMs: clock.now() })
  const { host, mdns } = p2p
  const counters = new CounterTable(base)
  const listen = { host, port: p2p.port, lastPort: lastPortOf(flows, PORT_META) }
  const network = new Libp2pNetwork(
    { ...base, counters },
    { identity, admission: admissionOf(cluster), ...listen, mdns }
  )
  flows.traffic.isRemote = remotePeers({ network, clock, interfaces: networkInterfaces })
  const lastLanePort = lastPortOf(flows, LANE_PORT_META)
  const lanes = new Lanes(
    { ...base, counters },
    { host, port: p2p.lanePort, lastPort: lastLanePort }
  )
  const onListen = async () => {
    await rememberPort(flows, PORT_META, network.port)
    await rememberPort(flows, LANE_PORT_META, lanes.port)
  }
  const about = () => ({
    name: flows.name,
    productVersion: PRODUCT_VERSION,
    databaseId: index.databaseId(),
    httpPort: httpPort()
  })
  const resolve = async (target: string, name: string, signal: AbortSignal) =>
    (await resolveTarget({ clock, fetch }, target, name, signal)).addresses
  return createMesh(
    { network, lanes, intake, flows, logs, about, onListen, resolve, ...files },
    {
      sync: fileSync,
      cluster,
      joins,
      bootstrap: p2p.bootstrap,
      fetchAll: fileStorage.syncEnabled,
      syncTimeoutMs: fileStorage.syncTimeoutMs
    }
  )
}

/** With a secret that a person set. */
async function fixedCluster({ cluster }: Config): Promise<ClusterFacts | undefined> {
  const { name, secretFile } = cluster
  if (secretFile === undefined) return undefined
  const text = readSmallFile(secretFile, SECRET_FILE_BYTES_MAX)?.toString()
  if (text === undefined) {
    throw new NodeError(
      'BAD_CONFIG',
      `There is no secret file ${secretFile}. Make one, the same on every server: ` +
        'openssl rand -hex 32',
      { file: secretFile }
    )
  }
  return { name, secret: await readSecret(text, name), isFixed: true, decidedMs: 0 }
}

/** With the secret that was taken over earlier, or with none. */
function keptCluster({ cluster: { name } }: Config, { cluster }: MeshFiles): ClusterFacts {
  const { text, file } = cluster
  if (text === undefined) return { name, secret: undefined, isFixed: false, decidedMs: 0 }
  const kept = readClusterText(text, file)
  if (name !== DEFAULT_CLUSTER && name !== kept.name) {
    throw new NodeError(
      'BAD_CONFIG',
      `This node has joined the cluster ${kept.name}, and is started with --cluster ${name}. ` +
        `Start it without --cluster, or remove ${file} to leave ${kept.name}.`,
      { file }
    )
  }
  return kept
}

/** Takes the secrets of invites that `join` left; those that can't be followed are left out. */
async function followInvites(
  known: ClusterFacts,
  files: MeshFiles,
  { log, nowMs }: { log: Log; nowMs: number }
): Promise<{ cluster: ClusterFacts; joins: readonly string[] }> {
  let cluster = known
  const left = files.readJoins()
  const joins: string[] = []
  /** With a ticket: for when the network is there. */
  const later: string[] = []
  for (const target of left.filter((one) => isTarget(one, log))) {
    if (isInvite(target)) {
      const { cluster: name, secret, ticket } = decodeInvite(target)
      if (ticket !== undefined) {
        later.push(target)
        continue
      }
      const decidedMs = joinedMs(cluster)
      const offer = { cluster: name, secret, decidedMs, rotation: ROTATED }
      const taking = planTaking(cluster, offer)
      if (taking === 'refuse') {
        log.error('an invite is left out: this node has its secret from --secret-file')
        continue
      }
      if (taking === 'take') {
        cluster = factsAfter(cluster, offer, nowMs)
        await files.saveCluster(clusterText(cluster))
      }
    }
    joins.push(target)
  }
  const kept = [...joins, ...later]
  if (kept.length < left.length) await files.saveJoins(kept)
  return { cluster, joins }
}

/** The file may have been changed by hand. */
function isTarget(text: string, log: Log): boolean {
  try {
    targetKind(text)
    return true
  } catch (error) {
    log.error({ err: error }, 'a server that was to be joined is left out')
    return false
  }
}

/** A free port was taken at the first start; others know this node by it. */
function lastPortOf({ index }: Pick<FlowParts, 'index'>, meta: string): number | undefined {
  const port = index.meta(meta)
  return typeof port === 'number' ? port : undefined
}

async function rememberPort({ index }: FlowParts, meta: string, port: number | undefined) {
  if (port === index.meta(meta)) return
  await index.change((tx) => tx.setMeta(meta, port))
}
