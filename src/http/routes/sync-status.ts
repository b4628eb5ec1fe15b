// GET /file-sync/api/file-sync/status: what is under way between this node and others.

import { z } from 'zod'
import { isoTime } from '../../base/iso-time.ts'
import type { NodeStatus } from '../../flows/status.ts'
import type { Counts } from '../../index/rows.ts'
import { describeServers, SYNC_OFF_TEXT, serverShape, uptimeSeconds } from '../describe-status.ts'
import type { Traffic } from '../mesh-status-port.ts'
import type { Access } from '../plan-access.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { Route } from '../route.ts'
import { SYNC_TASK } from './force-sync.ts'

const shape = z.object({
  status: z.enum(['running', 'idle', 'degraded', 'stopped']),
  server_name: z.string(),
  peer_id: z.string(),
  version: z.string(),
  uptime_seconds: z.int(),
  sync_enabled: z.boolean(),
  verify_integrity: z.boolean(),
  total_files: z.int(),
  total_size: z.int(),
  sync_queue_size: z.int(),
  failed_files: z.int(),
  bytes_received: z.int(),
  bytes_sent: z.int(),
  files_received: z.int(),
  files_sent: z.int(),
  progress: z
    .object({
      done_files: z.int(),
      total_files: z.int(),
      done_bytes: z.int(),
      total_bytes: z.int(),
      percent: z.number(),
      rate: z.number().describe('Bytes per second'),
      eta_seconds: z.number().nullable()
    })
    .describe('How far this node is from having all images'),
  active_transfers: z.array(
    z.object({
      path: z.string(),
      sha256: z.string(),
      from: z.string(),
      bytes_done: z.int(),
      size: z.int(),
      rate: z.number()
    })
  ),
  servers: z.array(serverShape),
  last_sync: z.iso.datetime().nullable(),
  last_error: z.string().nullable()
})

export function syncStatusRoutes(parts: HttpParts, options: ApiOptions): Route[] {
  return [
    {
      method: 'GET',
      url: '/file-sync/api/file-sync/status',
      who: 'public',
      tag: 'documented',
      summary: 'State of the synchronisation',
      answers: { 200: { means: 'The state now', shape } },
      handle: ({ access }) => describe(parts, options, access)
    }
  ]
}

async function describe(
  parts: HttpParts,
  { sync }: ApiOptions,
  access: Access
): Promise<z.output<typeof shape>> {
  const { counts, health, reasons } = parts.status()
  const { meshStatus } = parts
  const traffic = meshStatus?.traffic()
  const servers = parts.mesh?.servers() ?? []
  const lastSync = Math.max(...servers.map(({ comparedAtMs }) => comparedAtMs ?? 0), 0)
  return {
    status: sync.enabled ? stateOf(parts, health) : 'stopped',
    server_name: parts.node.name,
    peer_id: parts.node.peerId,
    version: parts.node.version,
    uptime_seconds: uptimeSeconds(parts),
    sync_enabled: sync.enabled,
    verify_integrity: sync.verifyIntegrity,
    total_files: counts.images,
    total_size: counts.imageBytes,
    sync_queue_size: counts.wants,
    failed_files: meshStatus?.failedBlobs() ?? 0,
    bytes_received: traffic?.bytesReceived ?? 0,
    bytes_sent: traffic?.bytesSent ?? 0,
    files_received: traffic?.blobsReceived ?? 0,
    files_sent: traffic?.blobsSent ?? 0,
    progress: progressOf(counts, traffic),
    active_transfers: access.sees === 'all' ? await describeTransfers(parts) : [],
    servers: describeServers(parts, access),
    last_sync: lastSync === 0 ? null : isoTime(lastSync),
    last_error: sync.enabled ? (reasons[0] ?? null) : SYNC_OFF_TEXT
  }
}

function progressOf(
  counts: Counts,
  traffic: Traffic | undefined
): z.output<typeof shape>['progress'] {
  const { receiveRate: rate, transfers } = traffic ?? { receiveRate: 0, transfers: [] }
  const hereBytes = transfers.reduce((sum, { bytesDone }) => sum + bytesDone, 0)
  const leftBytes = Math.max(0, counts.wantBytes - hereBytes)
  const isComplete = counts.heldImages + counts.blockedImages >= counts.images
  return {
    done_files: counts.heldImages,
    total_files: counts.images,
    done_bytes: counts.heldImageBytes,
    total_bytes: counts.imageBytes,
    // 100 means all of them, so it is never rounded up to
    percent: isComplete ? 100 : Math.floor((1000 * counts.heldImages) / counts.images) / 10,
    rate: Math.round(rate),
    eta_seconds: isComplete ? 0 : rate >= 1 ? Math.ceil(leftBytes / rate) : null
  }
}

async function describeTransfers({
  flows: { index },
  meshStatus
}: HttpParts): Promise<z.output<typeof shape>['active_transfers']> {
  const transfers = meshStatus?.traffic().transfers ?? []
  return Promise.all(
    transfers.map(async ({ hash, from, bytesDone, bytes, rate }) => ({
      path: (await index.pathsOf(hash, 1))[0] ?? '',
      sha256: hash,
      from,
      bytes_done: bytesDone,
      size: bytes,
      rate: Math.round(rate)
    }))
  )
}

/** running: a comparison is under way, or images are on their way here. */
function stateOf(
  { meshStatus, tasks }: HttpParts,
  health: NodeStatus['health']
): z.output<typeof shape>['status'] {
  if (health !== 'healthy') return 'degraded'
  return meshStatus?.isFetching() || tasks.runningOf(SYNC_TASK) !== undefined ? 'running' : 'idle'
}
