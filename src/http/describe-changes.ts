// A page of what an undo of a brake would take back.

import { z } from 'zod'
import { isImage } from '../../protocols/entry.ts'
import { isoTime } from '../base/iso-time.ts'
import type { KnownBlock } from '../flows/blocks.ts'
import type { Brake } from '../flows/brakes.ts'
import { type ChangedImage, isKept, lookThroughChanges } from '../flows/mass-changes.ts'
import type { FlowParts } from '../flows/parts.ts'
import { encodeCursor, type Place, parseCursor } from './cursor.ts'

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
type ToldChange = z.output<typeof changeShape>
export const stoppedShape = z.object({
  status: z.literal('success'),
  token: z.string(),
  since: z.iso.datetime().describe('What happened from then on, by the clock of this server'),
  images: z.int().nullable().describe('Images that come back; null behind a cursor'),
  missing: z
    .int()
    .nullable()
    .describe('Those of them of which this server does not keep the bytes; null behind a cursor'),
  uncounted: z.boolean().describe('Whether there may be more images than were counted'),
  blocks: z.int().describe('Blocks that are taken back, on all servers'),
  next_cursor: z.string().nullable(),
  next_offset: z
    .null()
    .describe('Ends who asks as earlier versions did: next_cursor is in its place'),
  changes: z.array(changeShape).describe('May be few, with a cursor')
})

/** Past versions that one page looks at, to fill it and to count: some tenths of a second. */
const LOOKED_AT_MAX = 10_000

export interface PageQuery {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly signal: AbortSignal
}

/** Blocks first: they are somebody's word, and nobody else tells whoever gave it. */
export async function pageOfChanges(
  flows: Pick<FlowParts, 'index' | 'blocks'>,
  { token, kind, fromMs }: Brake,
  { limit, cursor, signal }: PageQuery,
  lookedAtMax = LOOKED_AT_MAX
): Promise<z.output<typeof stoppedShape>> {
  const [list = 'blocks', after = ''] = cursor === undefined ? [] : parseCursor('change', cursor)
  const page = new Page(limit)
  const blocks = kind === 'changes' ? flows.blocks.since(fromMs) : []
  for (const block of list === 'blocks' ? blocksAfter(blocks, after) : []) {
    page.add(['blocks', block.hash], () => describeBlock(flows, block))
  }
  const counts = { images: 0, missing: 0, lookedAt: 0 }
  const range = { after: list === 'images' ? after : undefined }
  const looked = kind === 'changes' ? lookThroughChanges(flows.index, fromMs, range) : []
  let last: string | undefined
  for await (const { place, changed } of looked) {
    signal.throwIfAborted()
    if (cursor !== undefined && page.next !== undefined) break
    if (counts.lookedAt++ === lookedAtMax) {
      page.next ??= ['images', last ?? '']
      break
    }
    last = place
    if (changed === undefined) continue
    counts.images++
    if (!isKept(flows, changed.before.hash)) counts.missing++
    page.add(['images', place], () => describeChange(flows, changed))
  }
  const { images, missing, lookedAt } = counts
  return {
    ...{ status: 'success', token, since: isoTime(fromMs) },
    ...(cursor === undefined ? { images, missing } : { images: null, missing: null }),
    ...{ uncounted: lookedAt > lookedAtMax, blocks: blocks.length },
    next_cursor: page.next === undefined ? null : encodeCursor('change', page.next),
    next_offset: null,
    changes: page.changes
  }
}

class Page {
  readonly changes: ToldChange[] = []
  /** Where it goes on, if it does. */
  next: Place | undefined
  readonly #limit: number
  #last: Place = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Says it, if there is room. */
  add(place: Place, describe: () => ToldChange): void {
    if (this.changes.length === this.#limit) {
      this.next ??= this.#last
      return
    }
    this.#last = place
    this.changes.push(describe())
  }
}

function blocksAfter(blocks: readonly KnownBlock[], hash: string): readonly KnownBlock[] {
  return blocks.filter((one) => one.hash > hash).sort((a, b) => (a.hash < b.hash ? -1 : 1))
}

function describeBlock(
  flows: Pick<FlowParts, 'index' | 'blocks'>,
  { hash, reason, writer: by, sinceMs }: KnownBlock
): ToldChange {
  const about = { at: isoTime(sinceMs), here: isKept(flows, hash), held: !flows.blocks.has(hash) }
  return { what: 'blocked', path: null, sha256: hash, by, reason, ...about }
}

function describeChange(
  flows: Pick<FlowParts, 'index'>,
  { path, before, now, atMs }: ChangedImage
): ToldChange {
  const what = isImage(now) ? 'replaced' : 'deleted'
  const here = isKept(flows, before.hash)
  const about = { by: now.writer, at: isoTime(atMs), here, reason: null, held: false }
  return { what, path, sha256: before.hash, ...about }
}
