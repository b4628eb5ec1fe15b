// GET /file-sync/api/file-sync/status: what is under way between this node and others.

import { z } from 'zod'
import { describeServers, SYNC_OFF_TEXT, serverShape, uptimeSeconds } from '../describe-status.ts'
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
      handle: async ({ access }) => describe(parts, options, access)
    }
  ]
}

function describe(parts: HttpParts, { sync }: ApiOptions, access: Access): z.output<typeof shape> {
  const { counts } = parts.status()
  const isComplete = counts.heldImages >= counts.images
  return {
    status: stateOf(parts, sync.enabled),
    server_name: parts.node.name,
    peer_id: parts.node.peerId,
    version: parts.node.version,
    uptime_seconds: uptimeSeconds(parts),
    sync_enabled: sync.enabled,
    verify_integrity: sync.verifyIntegrity,
    total_files: counts.images,
    total_size: counts.imageBytes,
    sync_queue_size: counts.wants,
    failed_files: 0,
    bytes_received: 0,
    bytes_sent: 0,
    files_received: 0,
    files_sent: 0,
    progress: {
      done_files: counts.heldImages,
      total_files: counts.images,
      done_bytes: counts.heldImageBytes,
      total_bytes: counts.imageBytes,
      // 100 means all of them, so it is never rounded up to
      percent: isComplete ? 100 : Math.floor((1000 * counts.heldImages) / counts.images) / 10,
      rate: 0,
      eta_seconds: isComplete ? 0 : null
    },
    active_transfers: [],
    servers: describeServers(parts, access),
    last_sync: null,
    last_error: sync.enabled ? null : SYNC_OFF_TEXT
  }
}

function stateOf({ status, tasks }: HttpParts, enabled: boolean): z.output<typeof shape>['status'] {
  if (!enabled) return 'stopped'
  if (status().health !== 'healthy') return 'degraded'
  return tasks.runningOf(SYNC_TASK) === undefined ? 'idle' : 'running'
}
