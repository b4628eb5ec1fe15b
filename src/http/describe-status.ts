// What the two status answers have in common: facts that are true of a node that knows no other one
// yet.

import { z } from 'zod'
import type { Counts } from '../index/rows.ts'
import { isoTime } from './describe-image.ts'
import type { Access } from './plan-access.ts'
import type { HttpParts } from './ports.ts'

/** The documented text of a node whose `file_sync.enabled` is false. */
export const SYNC_OFF_TEXT = '分布式存储未启用'

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
  last_error: z.string().nullable()
})

/** The other servers, for callers that may see them. */
export function describeServers({ mesh, clock }: HttpParts, { sees }: Access) {
  if (mesh === undefined || sees !== 'all') return []
  return mesh.servers().map(
    (server): z.output<typeof serverShape> => ({
      name: server.name,
      peer_id: server.peerId,
      host: /^\/(?:ip[46]|dns[46]?)\/([^/]+)/.exec(server.address)?.[1] ?? '',
      port: server.httpPort ?? 0,
      addresses: [...server.addresses],
      status: server.equal && !server.missingFiles ? 'online' : 'syncing',
      connected_at: isoTime(server.connectedAtMs),
      last_seen: isoTime(clock.now()),
      last_sync: server.comparedAtMs === undefined ? null : isoTime(server.comparedAtMs),
      latency_ms: null,
      clock_offset_ms: server.clockOffsetMs ?? null,
      missing_files: server.missingFiles ?? 0,
      missing_bytes: server.missingBytes ?? 0,
      eta_seconds: null,
      last_error: null
    })
  )
}

/**
 * Live images without their bytes here, whatever the reason but damage: total = local + missing +
 * corrupted.
 */
export function missingFiles({ images, heldImages, damagedImages }: Counts): number {
  return images - heldImages - damagedImages
}

export function uptimeSeconds({ clock, node }: Pick<HttpParts, 'clock' | 'node'>): number {
  return Math.max(0, Math.floor((clock.now() - node.startedAtMs) / 1000))
}
