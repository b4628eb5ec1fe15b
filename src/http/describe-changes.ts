// A page of what an undo of a brake would take back.

import { z } from 'zod'
import { isImage } from '../../protocols/entry.ts'
import { isoTime } from '../base/iso-time.ts'
import type { Brake } from '../flows/brakes.ts'
import { imagesChangedSince, isKept } from '../flows/mass-changes.ts'
import type { FlowParts } from '../flows/parts.ts'

const changeShape = z.object({
  what: z.enum(['deleted', 'replaced', 'blocked']),
  path: z.string().nullable().describe('Null of a block: that is of bytes'),
  sha256: z.string().describe('Of what comes back'),
  by: z.string().describe('The server on which it was done'),
  at: z.iso.datetime().describe('When this server heard of it'),
  here: z.boolean().describe('Whether this server keeps the bytes; others may'),
  reason: z.string().nullable().describe('Of a block'),
  held: z.boolean().describe('A block that waits, and hides nothing yet')
})
export const stoppedShape = z.object({
  status: z.literal('success'),
  token: z.string(),
  since: z.iso.datetime().describe('What happened from then on, by the clock of this server'),
  images: z.int().describe('Images that come back'),
  missing: z.int().describe('Those of them of which this server does not keep the bytes'),
  blocks: z.int().describe('Blocks that are taken back, on all servers'),
  next_offset: z.int().nullable(),
  changes: z.array(changeShape)
})

/** Blocks first: they are somebody's word, and nobody else tells whoever gave it. */
export async function pageOfChanges(
  flows: Pick<FlowParts, 'index' | 'blocks'>,
  { token, kind, fromMs }: Brake,
  { limit, offset, signal }: { limit: number; offset: number; signal: AbortSignal }
): Promise<z.output<typeof stoppedShape>> {
  const changes: z.output<typeof changeShape>[] = []
  const blocks = kind === 'changes' ? flows.blocks.since(fromMs) : []
  let [place, images, missing] = [0, 0, 0]
  const isOnPage = () => place++ >= offset && changes.length < limit
  for (const { hash, reason, writer: by, sinceMs } of blocks) {
    if (!isOnPage()) continue
    const about = { at: isoTime(sinceMs), here: isKept(flows, hash), held: !flows.blocks.has(hash) }
    changes.push({ what: 'blocked', path: null, sha256: hash, by, reason, ...about })
  }
  const changed = kind === 'changes' ? imagesChangedSince(flows.index, fromMs) : []
  for await (const { path, before, now, atMs } of changed) {
    signal.throwIfAborted()
    const here = isKept(flows, before.hash)
    images++
    missing += Number(!here)
    if (!isOnPage()) continue
    const what = isImage(now) ? 'replaced' : 'deleted'
    const about = { by: now.writer, at: isoTime(atMs), here, reason: null, held: false }
    changes.push({ what, path, sha256: before.hash, ...about })
  }
  const next_offset = place > offset + limit ? offset + limit : null
  const counts = { images, missing, blocks: blocks.length }
  return {
    ...{ status: 'success', token, since: isoTime(fromMs) },
    ...counts,
    ...{ next_offset, changes }
  }
}
