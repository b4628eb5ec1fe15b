// DELETE /api/images: many images at once, at once if they are few, else in the background.

import { z } from 'zod'
import type { ImagePath } from '../../../protocols/path.ts'
import { saidAs } from '../../base/cause.ts'
import type { Task, TaskControl } from '../../base/task-board.ts'
import { remove } from '../../flows/remove.ts'
import { type DeleteTargets, findTargets } from '../delete-targets.ts'
import { acceptedShape, describeTask, findTask, taskShape } from '../describe-task.ts'
import { errorBody } from '../error-body.ts'
import { messageFor } from '../messages.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const DELETE_TASK = 'delete'
/** More images than these are deleted in the background. */
const AT_ONCE_MAX = 50
/** Deletions that are asked for together share a synced batch of the index. */
const GROUP_IMAGES = 32
const NAMES_MAX = 10_000
/** Lines of one list in an answer. */
const LISTED_MAX = 10_000

const idField = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,16}$/, 'must be a number')
    .transform(Number)
    .pipe(z.int())
])

const bodyShape = z
  .strictObject({
    image_ids: z.array(idField).optional(),
    paths: z.array(z.string()).optional(),
    hashes: z
      .array(z.string().regex(/^(?:[0-9a-f]{32}|[0-9a-f]{64})$/i, 'must be an MD5 or a SHA-256'))
      .optional()
  })
  .refine((body) => namesOf(body) > 0, {
    error: 'name images by image_ids, paths or hashes',
    params: saidAs('field_delete_names')
  })
  .refine((body) => namesOf(body) <= NAMES_MAX, {
    error: `at most ${NAMES_MAX} names in one request`,
    params: saidAs('names_many', { max: NAMES_MAX })
  })

const deletedShape = z.object({
  status: z.enum(['success', 'partial']),
  message: z.string(),
  deleted_count: z.int(),
  deleted: z.array(z.string()).describe('Paths'),
  failed: z.array(z.object({ path: z.string(), detail: z.string() })),
  not_found: z.array(z.union([z.number(), z.string()])).describe('As they were sent')
})

const acceptedDeleteShape = acceptedShape.extend({ total: z.int() })
const deleteTaskShape = taskShape.extend({
  deleted_count: z.int(),
  progress: z.int().describe('Percent')
})
const paramsShape = z.object({ id: z.string().max(100) })

interface Tally {
  deletedCount: number
  readonly deleted: ImagePath[]
  readonly failed: { path: string; detail: string }[]
  readonly notFound: (number | string)[]
}

export function deleteImagesRoutes(parts: HttpParts, options: ApiOptions): Route[] {
  /** What each task has done so far. */
  const tallies = new WeakMap<Task, Tally>()

  async function deleteImages(request: ApiRequest): Promise<unknown> {
    const targets = await findTargets(parts.flows.index, request.body as z.output<typeof bodyShape>)
    const tally = tallyOf(targets)
    const { paths } = targets
    if (paths.length <= AT_ONCE_MAX) {
      await removeAll(parts, options, paths, tally)
      return answerOf(request, tally)
    }
    const { task } = parts.tasks.start(DELETE_TASK, async (control) => {
      await removeAll(parts, options, paths, tally, control)
      return answerOf(request, tally)
    })
    tallies.set(task, tally)
    return accepted(request, task, paths.length)
  }

  return [
    {
      method: 'DELETE',
      url: '/api/images',
      who: 'write',
      tag: 'images',
      summary: 'Delete many images by image_ids, paths or hashes',
      body: bodyShape,
      answers: {
        200: {
          means: `What was deleted; the task, for more than ${AT_ONCE_MAX} images`,
          shape: z.union([deletedShape, acceptedDeleteShape])
        },
        409: { means: 'An id or MD5 means more than one image; nothing was deleted' },
        422: { means: 'The body is not valid; nothing was deleted' }
      },
      handle: deleteImages
    },
    {
      method: 'GET',
      url: '/api/delete-task/:id',
      who: 'read',
      tag: 'images',
      summary: 'State and result of a bulk deletion',
      params: paramsShape,
      answers: {
        200: { means: 'The task', shape: deleteTaskShape },
        404: { means: 'There is no such task, or no longer' }
      },
      async handle(request) {
        const { id } = request.params as z.output<typeof paramsShape>
        const task = findTask(parts.tasks, id, DELETE_TASK)
        return describeDeleteTask(task, tallies.get(task))
      }
    }
  ]
}

function namesOf({ image_ids = [], paths = [], hashes = [] }: Partial<Record<string, unknown[]>>) {
  return image_ids.length + paths.length + hashes.length
}

function tallyOf({ failed, notFound }: DeleteTargets): Tally {
  return { deletedCount: 0, deleted: [], failed: [...failed], notFound: [...notFound] }
}

async function removeAll(
  { flows }: HttpParts,
  options: ApiOptions,
  paths: readonly ImagePath[],
  tally: Tally,
  control?: TaskControl
): Promise<void> {
  control?.total(paths.length)
  for (let at = 0; at < paths.length; at += GROUP_IMAGES) {
    control?.signal.throwIfAborted()
    const group = paths.slice(at, at + GROUP_IMAGES)
    await Promise.all(group.map((path) => removeOne(path)))
    control?.processed(at + group.length)
  }

  async function removeOne(path: ImagePath): Promise<void> {
    try {
      const { outcome } = await remove(flows, options, path)
      if (outcome !== 'deleted') list(tally.notFound, path)
      else {
        tally.deletedCount++
        list(tally.deleted, path)
      }
    } catch (error) {
      const { detail } = errorBody(error).body
      const text = typeof detail === 'string' ? detail : JSON.stringify(detail)
      list(tally.failed, { path, detail: text })
      control?.error(path, text)
    }
  }
}

function list<T>(lines: T[], line: T): void {
  if (lines.length < LISTED_MAX) lines.push(line)
}

function answerOf(request: ApiRequest, tally: Tally): z.output<typeof deletedShape> {
  const { deletedCount, deleted, failed, notFound } = tally
  return {
    status: failed.length > 0 ? 'partial' : 'success',
    message: messageFor(
      request,
      `${deletedCount} deleted, ${failed.length} failed, ${notFound.length} not found.`,
      `已删除 ${deletedCount} 张，失败 ${failed.length} 张，未找到 ${notFound.length} 张。`
    ),
    deleted_count: deletedCount,
    deleted,
    failed,
    not_found: notFound
  }
}

function accepted(
  request: ApiRequest,
  { id }: Task,
  total: number
): z.output<typeof acceptedDeleteShape> {
  return {
    status: 'accepted',
    message: messageFor(
      request,
      `${total} images are being deleted in the background: GET /api/delete-task/${id} tells how far it is.`,
      `正在后台删除 ${total} 张图片：用 GET /api/delete-task/${id} 查看进度。`
    ),
    task_id: id,
    background: true,
    total
  }
}

function describeDeleteTask(
  task: Task,
  tally: Tally | undefined
): z.output<typeof deleteTaskShape> {
  const { status, total, processed } = task
  return {
    ...describeTask(task),
    deleted_count: tally?.deletedCount ?? 0,
    progress: status === 'completed' ? 100 : Math.floor((100 * processed) / Math.max(total, 1))
  }
}
