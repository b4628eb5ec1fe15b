// What the status answers have in common: the other servers, and a few sums.

import { z } from 'zod'
import { isoTime } from '../base/iso-time.ts'
import type { ServerStatus } from '../flows/status.ts'
import type { Counts } from '../index/rows.ts'
import type { Access } from './plan-access.ts'
import type { HttpParts } from './ports.ts'

/** The documented text of a node whose `file_sync.enabled` is false. */
export const SYNC_OFF_TEXT = '分布式存储未启用'

/** What is wrong, by a code that programs know. */
export const causeShape = z.object({
  code: z.string(),
  text: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number()]))
})

/** One other server. Only callers that may see all get any. */
export const serverShape = z.object({
  name: z.string(),
  peer_id: z.string(),
  host: z.string(),
  port: z.int(),
  addresses: z.array(z.string()),
  status: z.enum(['online', 'syncing', 'offline', 'away', 'refused']),
  connected_at: z.iso.datetime().nullable(),
  last_seen: z.iso.datetime().nullable(),
  last_sync: z.iso.datetime().nullable(),
  latency_ms: z.number().nullable(),
  clock_offset_ms: z.number().nullable(),
  missing_files: z.int(),
  missing_bytes: z.int(),
  eta_seconds: z.number().nullable(),
  disk_state: z.enum(['ok', 'low', 'full']).nullable().describe('By its own last word'),
  disk_since: z.iso.datetime().nullable().describe('Since then at least'),
  faults: z.int().describe('Streams of it that ended in an error here, since the start'),
  last_error: z.string().nullable(),
  last_cause: causeShape.nullable().describe('The same, to be said in another language')
})

type DescribedServer = z.output<typeof serverShape>

/** The other servers, for callers that may see them. */
export function describeServers({ mesh }: HttpParts, { sees }: Access): DescribedServer[] {
  return mesh === undefined || sees !== 'all' ? [] : mesh.servers().map(describeServer)
}

function describeServer(server: ServerStatus): DescribedServer {
  const time = (ms: number | undefined) => (ms === undefined ? null : isoTime(ms))
  return {
    name: server.name,
    peer_id: server.peerId,
    host: /^\/(?:ip[46]|dns[46]?)\/([^/]+)/.exec(server.address ?? '')?.[1] ?? '',
    port: server.httpPort ?? 0,
    addresses: [...server.addresses],
    status: server.state,
    connected_at: time(server.connectedAtMs),
    last_seen: time(server.lastSeenMs),
    last_sync: time(server.comparedAtMs),
    latency_ms: rounded(server.latencyMs),
    clock_offset_ms: server.clockOffsetMs ?? null,
    missing_files: server.missingFiles ?? 0,
    missing_bytes: server.missingBytes ?? 0,
    eta_seconds: server.etaSeconds ?? null,
    disk_state: server.disk?.state ?? null,
    disk_since: time(server.disk?.sinceMs),
    faults: server.faults ?? 0,
    last_error: server.lastError ?? null,
    last_cause: server.lastCause === undefined ? null : { ...server.lastCause }
  }
}

/** To hundredths. */
function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 100) / 100
}

/**
 * Live images without their bytes here, whatever the reason but damage and blocks: total = local +
 * missing + corrupted + blocked.
 */
export function missingFiles({ images, heldImages, damagedImages, blockedImages }: Counts): number {
  return images - heldImages - damagedImages - blockedImages
}

/** Images are to be on all servers: what the one lacks that lacks most is the least that can be. */
export function underReplicated(
  { mesh }: Pick<HttpParts, 'mesh'>,
  { images, heldImages, blockedImages }: Counts
): number {
  const lacking = mesh?.servers().map(({ missingFiles }) => missingFiles ?? 0) ?? []
  return Math.max(images - heldImages - blockedImages, ...lacking)
}

export function uptimeSeconds({ clock, node }: Pick<HttpParts, 'clock' | 'node'>): number {
  return Math.max(0, Math.floor((clock.now() - node.startedAtMs) / 1000))
}
