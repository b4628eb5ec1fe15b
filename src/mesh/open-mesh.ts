// Makes the mesh of a node that has a secret: whoever has it too is met, nobody else.

import type { Config } from '../../config/schema.ts'
import { NodeError } from '../base/errors.ts'
import { PRODUCT_VERSION } from '../base/product-version.ts'
import type { FlowParts } from '../flows/parts.ts'
import { createAdmission, readSecret } from '../network/admission.ts'
import type { Identity } from '../network/identity.ts'
import { Libp2pNetwork } from '../network/libp2p-network.ts'
import { mdnsRouteFault } from '../network/multicast-route.ts'
import { stillFree } from '../network/remembered-port.ts'
import { readRouteTable } from '../network/route-table.ts'
import { readSmallFile } from '../store/small-file.ts'
import { createMesh, type Mesh } from './mesh.ts'

const SECRET_FILE_BYTES_MAX = 4096
const PORT_META = 'p2p-port'

/** A free port was taken at the first start; others know this node by it. */
async function rememberedPort({ index }: FlowParts, host: string): Promise<number | undefined> {
  const port = index.meta(PORT_META)
  return typeof port === 'number' ? stillFree(host, port) : undefined
}

/** Undefined without a secret, or where sync is switched off. Errors: BAD_CONFIG. */
export async function openMesh(
  config: Config,
  flows: FlowParts,
  identity: Identity,
  httpPort: () => number | undefined
): Promise<Mesh | undefined> {
  const { cluster, p2p, fileSync, fileStorage } = config
  if (cluster.secretFile === undefined || !fileSync.enabled) return undefined
  const text = readSmallFile(cluster.secretFile, SECRET_FILE_BYTES_MAX)?.toString()
  if (text === undefined) {
    throw new NodeError(
      'BAD_CONFIG',
      `There is no secret file ${cluster.secretFile}. Make one, the same on every server: ` +
        'openssl rand -hex 32',
      { file: cluster.secretFile }
    )
  }
  const { clock, random, log, index } = flows
  const fault = p2p.mdns ? mdnsRouteFault(readRouteTable) : undefined
  if (fault !== undefined) log.warn(fault)
  const network = new Libp2pNetwork(
    { clock, random, log },
    {
      identity,
      admission: createAdmission(cluster.name, await readSecret(text, cluster.name)),
      host: p2p.host,
      port: p2p.port ?? (await rememberedPort(flows, p2p.host)),
      mdns: p2p.mdns
    }
  )
  const onListen = async () => {
    const { port } = network
    if (port === index.meta(PORT_META)) return
    await index.change((tx) => tx.setMeta(PORT_META, port))
  }
  const about = () => ({
    name: flows.name,
    productVersion: PRODUCT_VERSION,
    clusterId: undefined,
    databaseId: String(index.meta('database')),
    httpPort: httpPort()
  })
  return createMesh(
    { network, flows, about, onListen },
    {
      sync: fileSync,
      bootstrap: p2p.bootstrap,
      fetchAll: fileStorage.syncEnabled,
      syncTimeoutMs: fileStorage.syncTimeoutMs
    }
  )
}
