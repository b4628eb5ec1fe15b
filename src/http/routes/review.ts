// Images that wait for a person to restore or discard them.

import { z } from 'zod'
import { isImage } from '../../../protocols/entry.ts'
import { type ImagePath, PATH_BYTES_MAX, parsePath } from '../../../protocols/path.ts'
import { WireError } from '../../../protocols/wire-error.ts'
import { saidAs } from '../../base/cause.ts'
import { isoTime } from '../../base/iso-time.ts'
import type { TaskControl } from '../../base/task-board.ts'
import { type Decision, decideReview } from '../../flows/review.ts'
import type { ReviewedImage } from '../../index/rows.ts'
import { encodeCursor, parseCursor } from '../cursor.ts'
import { describeImage, imageFactsShape, viewpointOf } from '../describe-image.ts'
import { acceptedShape } from '../describe-task.ts'
import { errorBody } from '../error-body.ts'
import { cursorField, limitField } from '../list-query.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const LIMIT_MAX = 1000
/** More images than these are decided in the background. */
const AT_ONCE_MAX = 50
const NAMES_MAX = 10_000
/** Failures that one answer tells. */
const LISTED_MAX = 1000

const querySchema = z.strictObject({
  limit: limitField(LIMIT_MAX).default(100),
  cursor: cursorField.optional()
})
const reviewedShape = imageFactsShape.extend({
  since: z.iso.datetime().describe('When it left the index'),
  refused_by: z.string().describe('The server that may have deleted and forgotten it')
})
const listShape = z.object({
  status: z.literal('success'),
  total: z.int(),
  count: z.int(),
  next_cursor: z.string().nullable(),
  files: z.array(reviewedShape)
})
const bodyShape = z
  .strictObject({
    action: z.enum(['restore', 'discard']),
    paths: z.array(z.string().max(PATH_BYTES_MAX)).max(NAMES_MAX).optional(),
    all: z.literal(true).optional()
  })
  .refine(({ paths, all }) => (paths === undefined) !== (all === undefined), {
    error: 'name images by paths, or say "all": true',
    params: saidAs('field_review_names')
  })
const decidedShape = z.object({
  status: z.enum(['success', 'partial']),
  message: z.string(),
  restored: z.int(),
  discarded: z.int(),
  not_found: z.int(),
  failed: z.array(z.object({ path: z.string(), detail: z.string() }))
})
type Decisions = z.output<typeof decidedShape>

export function reviewRoutes(parts: HttpParts): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/review',
      who: 'read',
      tag: 'images',
      summary: 'Images that another server may have deleted long ago, kept for you to decide on',
      query: querySchema,
      answers: { 200: { means: 'A page of them, in the order of their paths', shape: listShape } },
      handle: (request) => list(parts, request)
    },
    {
      method: 'POST',
      url: '/api/review',
      who: 'write',
      tag: 'images',
      summary: 'Restore or discard images that wait for review, some or all',
      body: bodyShape,
      answers: {
        200: {
          means: `What was decided; the task, for more than ${AT_ONCE_MAX} images`,
          shape: z.union([decidedShape, acceptedShape])
        }
      },
      handle: (request) => decide(parts, request)
    }
  ]
}

async function list(parts: HttpParts, request: ApiRequest): Promise<z.output<typeof listShape>> {
  const { limit, cursor } = request.query as z.output<typeof querySchema>
  const { index } = parts.flows
  const after = cursor === undefined ? undefined : (parseCursor('path', cursor)[0] as ImagePath)
  const found: ReviewedImage[] = []
  for await (const image of index.reviewed(after)) {
    request.signal.throwIfAborted()
    found.push(image)
    if (found.length === limit) break
  }
  const last = found.length === limit ? found.at(-1) : undefined
  return {
    status: 'success',
    total: index.counts().reviewImages,
    count: found.length,
    next_cursor: last === undefined ? null : encodeCursor('path', [last.entry.path]),
    files: found.flatMap((image) => describe(parts, image))
  }
}

function describe(
  parts: HttpParts,
  { entry, from, atMs }: ReviewedImage
): z.output<typeof reviewedShape>[] {
  if (!isImage(entry)) return []
  const image = describeImage(entry, parts.flows.index.blob(entry.hash), viewpointOf(parts))
  return [
    {
      ...imageFactsShape.parse(image),
      since: isoTime(atMs),
      refused_by: parts.meshStatus?.nameOf(from) ?? from
    }
  ]
}

async function decide(parts: HttpParts, request: ApiRequest): Promise<unknown> {
  const { action, paths, all } = request.body as z.output<typeof bodyShape>
  const { reviewImages } = parts.flows.index.counts()
  const count = all === true ? reviewImages : (paths?.length ?? 0)
  const work = async (control?: TaskControl) => {
    const names = all === true ? parts.flows.index.reviewedPaths() : (paths ?? [])
    return summary(request, await decideAll(parts, action, names, count, control))
  }
  if (count <= AT_ONCE_MAX) return work()
  const { task } = parts.tasks.start('review', work)
  return {
    status: 'accepted',
    message: messageFor(
      request,
      `${count} images are being decided in the background: GET /file-sync/api/file-sync/tasks/${task.id} tells how far it is.`,
      `正在后台处理 ${count} 张图片：用 GET /file-sync/api/file-sync/tasks/${task.id} 查看进度。`
    ),
    task_id: task.id,
    background: true
  }
}

async function decideAll(
  { flows }: HttpParts,
  decision: Decision,
  names: Iterable<string> | AsyncIterable<string>,
  count: number,
  control?: TaskControl
): Promise<Omit<Decisions, 'status' | 'message'>> {
  const tally = { restored: 0, discarded: 0, not_found: 0, failed: [] as Decisions['failed'] }
  let processed = 0
  control?.total(count)
  for await (const name of names) {
    control?.signal.throwIfAborted()
    try {
      const outcome = await decideReview(flows, parsePath(name), decision)
      tally[outcome === 'unknown' ? 'not_found' : outcome]++
    } catch (error) {
      const { detail } = errorBody(error).body
      const text = error instanceof WireError || typeof detail !== 'string' ? `${error}` : detail
      if (tally.failed.length < LISTED_MAX) tally.failed.push({ path: name, detail: text })
      control?.error(name, text)
    }
    control?.processed(++processed)
  }
  return tally
}

function summary(request: ApiRequest, tally: Omit<Decisions, 'status' | 'message'>): Decisions {
  const { restored, discarded, not_found, failed } = tally
  return {
    status: failed.length > 0 ? 'partial' : 'success',
    message: messageFor(
      request,
      `${restored} restored, ${discarded} discarded, ${failed.length} failed, ${not_found} not waiting for review.`,
      `已恢复 ${restored} 张，已丢弃 ${discarded} 张，失败 ${failed.length} 张，${not_found} 张不在待审列表中。`
    ),
    ...tally
  }
}
