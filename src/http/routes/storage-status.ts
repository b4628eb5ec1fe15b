// GET /api/storage-status: what this node keeps, in what health, and who else keeps it.

import { z } from 'zod'
import { isoTime } from '../../base/iso-time.ts'
import { lastScan } from '../../flows/last-scan.ts'
import { nextScrubMs } from '../../flows/scrub.ts'
import { INODES_RESERVE } from '../../store/disk-space.ts'
import {
  causeShape,
  describeServers,
  missingFiles,
  SYNC_OFF_TEXT,
  serverShape,
  underReplicated,
  uptimeSeconds
} from '../describe-status.ts'
import type { Access } from '../plan-access.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { Route } from '../route.ts'

const localShape = z.object({
  status: z.enum(['healthy', 'degraded', 'read_only', 'critical']),
  status_reasons: z.array(z.string()),
  status_causes: z.array(causeShape).describe('The same, to be said in another language'),
  total_files: z.int().describe('Live images of the index'),
  total_size: z.int(),
  local_files: z.int().describe('Those whose bytes are here'),
  local_size: z.int(),
  unique_blobs: z.int(),
  missing_files: z.int(),
  corrupted_files: z.int(),
  quarantined_files: z.int(),
  blocked_files: z.int().describe('Images whose bytes are blocked'),
  deleted_files: z.int(),
  trash_size: z.int(),
  disk: z.object({
    total: z.int(),
    used: z.int(),
    free: z.int(),
    reserved: z.int(),
    inodes_total: z.int().nullable().describe('Null where files are not counted'),
    inodes_free: z.int(),
    inodes_reserved: z
      .int()
      .describe('With fewer the disk is full, with fewer than twice as many low'),
    state: z.enum(['ok', 'low', 'full'])
  }),
  integrity: z.object({
    last_scan_at: z.iso.datetime().nullable(),
    next_scan_at: z.iso.datetime().nullable(),
    scanned_files: z.int(),
    corrupted_files: z.int(),
    repaired_files: z.int(),
    unrepairable_files: z.int()
  }),
  node: z.object({
    name: z.string(),
    peer_id: z.string(),
    cluster: z.string(),
    version: z.string(),
    uptime_seconds: z.int(),
    addresses: z.array(z.string()),
    pid: z.int(),
    signed_urls: z.boolean().describe('Whether signed addresses open images here')
  })
})

const onShape = localShape.extend({
  distributed_storage: z.literal(true),
  sync_queue_size: z.int().describe('Blobs that should be here and are not'),
  pending_bytes: z.int(),
  under_replicated_files: z
    .int()
    .describe('Images that at least one server lacks: so many at least, by what each last said'),
  review_files: z.int(),
  servers: z.array(serverShape)
})

const offShape = localShape.extend({
  distributed_storage: z.literal(false),
  message: z.literal(SYNC_OFF_TEXT)
})

export function storageStatusRoutes(parts: HttpParts, options: ApiOptions): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/storage-status',
      who: 'public',
      tag: 'documented',
      summary: 'State of the storage',
      answers: { 200: { means: 'The state now', shape: z.union([onShape, offShape]) } },
      handle: async ({ access }) =>
        options.sync.enabled ? describeOn(parts, options, access) : describeOff(parts, options)
    }
  ]
}

function describeOff(parts: HttpParts, options: ApiOptions): z.output<typeof offShape> {
  return { distributed_storage: false, message: SYNC_OFF_TEXT, ...describeLocal(parts, options) }
}

function describeOn(
  parts: HttpParts,
  options: ApiOptions,
  access: Access
): z.output<typeof onShape> {
  const { counts } = parts.status()
  return {
    distributed_storage: true,
    ...describeLocal(parts, options),
    sync_queue_size: counts.wants,
    pending_bytes: counts.wantBytes,
    under_replicated_files: underReplicated(parts, counts),
    review_files: counts.reviewImages,
    servers: describeServers(parts, access)
  }
}

function describeLocal(
  parts: HttpParts,
  { sync, scrubMs, signedUrls }: ApiOptions
): z.output<typeof localShape> {
  const { health, reasons, causes, counts, disk, quarantinedFiles } = parts.status()
  const { name, peerId, cluster, version } = parts.node
  const scan = lastScan(parts.flows)
  const next = sync.verifyIntegrity ? nextScrubMs(parts.flows, { intervalMs: scrubMs }) : undefined
  return {
    status: health,
    status_reasons: [...reasons],
    status_causes: causes.map((cause) => ({ ...cause })),
    total_files: counts.images,
    total_size: counts.imageBytes,
    local_files: counts.heldImages,
    local_size: counts.heldImageBytes,
    unique_blobs: counts.blobs,
    missing_files: missingFiles(counts),
    corrupted_files: counts.damagedImages,
    quarantined_files: quarantinedFiles,
    blocked_files: counts.blockedImages,
    deleted_files: counts.tombstones,
    trash_size: counts.trashBytes,
    disk: {
      total: disk.total,
      used: disk.used,
      free: disk.free,
      reserved: disk.reserved,
      inodes_total: disk.inodesTotal ?? null,
      inodes_free: disk.inodesFree,
      inodes_reserved: INODES_RESERVE,
      state: disk.state
    },
    integrity: {
      last_scan_at: scan === undefined ? null : isoTime(scan.atMs),
      next_scan_at: next === undefined ? null : isoTime(next),
      scanned_files: scan?.scannedFiles ?? 0,
      corrupted_files: scan?.corruptedFiles ?? 0,
      repaired_files: scan?.repairedFiles ?? 0,
      unrepairable_files: scan?.unrepairableFiles ?? 0
    },
    node: {
      name,
      peer_id: peerId,
      cluster,
      version,
      uptime_seconds: uptimeSeconds(parts),
      addresses: [...(parts.mesh?.addresses() ?? [])],
      pid: process.pid,
      signed_urls: signedUrls
    }
  }
}
