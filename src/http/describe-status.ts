// What the two status answers have in common: facts that are true of a node that knows no other one
// yet.

import { z } from 'zod'
import type { Counts } from '../index/rows.ts'
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
