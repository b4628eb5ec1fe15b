// GET /api/trash: what was deleted or replaced lately and can be restored here.

import { z } from 'zod'
import { isImage } from '../../../protocols/entry.ts'
import { isoTime } from '../../base/iso-time.ts'
import type { ImageIndex } from '../../index/image-index.ts'
import type { PlacedVersion } from '../../index/read-past.ts'
import { encodeCursor, parseCursor } from '../cursor.ts'
import { describeImage, imageFactsShape, viewpointOf } from '../describe-image.ts'
import { cursorField, limitField } from '../list-query.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const LIMIT_MAX = 1000
/** Versions that one page looks at when few of them can be restored. */
const SCANNED_MAX = 20_000

const querySchema = z.strictObject({
  limit: limitField(LIMIT_MAX).default(100),
  cursor: cursorField.optional()
})
const trashedShape = imageFactsShape.extend({
  why: z.enum(['deleted', 'replaced']).describe('replaced: another image has the path now'),
  since: z.iso.datetime(),
  recoverable_until: z.iso.datetime().describe('Or earlier, if the room is needed')
})
const shape = z.object({
  status: z.literal('success'),
  size: z.int().describe('Bytes that only the trash holds'),
  count: z.int(),
  next_cursor: z.string().nullable().describe('Null at the end; a short page may have one'),
  files: z.array(trashedShape)
})

export function trashRoutes(parts: HttpParts, options: ApiOptions): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/trash',
      who: 'read',
      tag: 'images',
      summary: 'Deleted and replaced images that can be restored, the latest first',
      query: querySchema,
      answers: { 200: { means: 'A page of them', shape } },
      handle: (request) => list(parts, options, request)
    }
  ]
}

async function list(
  parts: HttpParts,
  { trashKeepMs }: ApiOptions,
  request: ApiRequest
): Promise<z.output<typeof shape>> {
  const { limit, cursor } = request.query as z.output<typeof querySchema>
  const { index } = parts.flows
  const found: PlacedVersion[] = []
  const seen = new Set<string>()
  let next: string | null = null
  let scanned = 0
  for await (const placed of index.pastNewestFirst(placeOf(cursor))) {
    request.signal.throwIfAborted()
    const { path, hash } = placed.version.entry
    // deleted and restored again and again, it is there once for each time
    if (isRestorable(index, placed) && !seen.has(`${hash} ${path}`)) found.push(placed)
    seen.add(`${hash} ${path}`)
    if (found.length < limit && ++scanned < SCANNED_MAX) continue
    next = encodeCursor('trash', [placed.place])
    break
  }
  return {
    status: 'success',
    size: index.counts().trashBytes,
    count: found.length,
    next_cursor: next,
    files: found.flatMap((placed) => describe(parts, trashKeepMs, placed))
  }
}

function placeOf(cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : parseCursor('trash', cursor)[0]
}

/** What waits for review is decided there; what the path shows now is back already. */
function isRestorable(index: ImageIndex, { version: { entry } }: PlacedVersion): boolean {
  if (!isImage(entry) || index.image(entry.path)?.hash === entry.hash) return false
  const state = index.blob(entry.hash)?.state
  if (state !== 'held' && state !== 'trashed') return false
  return index.reviewedAt(entry.path)?.entry.version !== entry.version
}

function describe(
  parts: HttpParts,
  trashKeepMs: number,
  { version: { entry, sinceMs } }: PlacedVersion
): z.output<typeof trashedShape>[] {
  if (!isImage(entry)) return []
  const { index } = parts.flows
  const image = describeImage(entry, index.blob(entry.hash), viewpointOf(parts))
  return [
    {
      ...imageFactsShape.parse(image),
      why: index.image(entry.path) === undefined ? 'deleted' : 'replaced',
      since: isoTime(sinceMs),
      recoverable_until: isoTime(sinceMs + trashKeepMs)
    }
  ]
}
