// What stopped because it was too much to be meant, and a person's word on it.

import { z } from 'zod'
import { NodeError } from '../../base/errors.ts'
import { isoTime } from '../../base/iso-time.ts'
import { ALLOWED_MS, type Brake } from '../../flows/brakes.ts'
import { findAgain } from '../../flows/find-again.ts'
import { undoChanges } from '../../flows/undo-changes.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const brakeShape = z.object({
  kind: z.enum(['loss', 'changes']),
  token: z.string(),
  since: z.iso.datetime(),
  count: z.int(),
  of: z.int(),
  reason: z.string()
})
const listShape = z.object({ status: z.literal('success'), brakes: z.array(brakeShape) })
const bodyShape = z.strictObject({
  token: z.string(),
  action: z.enum(['confirm', 'undo']).default('confirm')
})
const releasedShape = z.object({
  status: z.enum(['success', 'accepted']),
  message: z.string(),
  task_id: z.string().optional().describe('Of what goes on in the background')
})

export function brakeRoutes(parts: HttpParts): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/brakes',
      who: 'read',
      tag: 'operations',
      summary: 'What stopped because it was too much to be meant',
      answers: { 200: { means: 'The brakes that are engaged', shape: listShape } },
      handle: async () => ({
        status: 'success',
        brakes: parts.flows.brakes.all().map(describeBrake)
      })
    },
    {
      method: 'POST',
      url: '/api/brakes',
      who: 'admin',
      tag: 'operations',
      summary: 'Confirm or undo what stopped',
      body: bodyShape,
      answers: {
        200: {
          means: 'It goes on; what is undone comes back in the background',
          shape: releasedShape
        },
        404: { means: 'No brake that is engaged has this token' },
        422: { means: 'Lost files can not be undone' }
      },
      handle: (request) => release(parts, request)
    }
  ]
}

function describeBrake({ kind, token, sinceMs, count, of, reason }: Brake) {
  return { kind, token, since: isoTime(sinceMs), count, of, reason }
}

async function release(
  parts: HttpParts,
  request: ApiRequest
): Promise<z.output<typeof releasedShape>> {
  const { brakes } = parts.flows
  const { token, action } = request.body as z.output<typeof bodyShape>
  const brake = brakes.withToken(token)
  if (brake === undefined) {
    throw new NodeError(
      'NOT_FOUND',
      'No brake that is engaged has this token. GET /api/brakes lists those that are.'
    )
  }
  if (action === 'undo') return undo(parts, request, brake)
  if (brake.kind === 'changes') await brakes.tellAllowed()
  await brakes.release(brake.kind)
  if (brake.kind === 'loss') {
    parts.tasks.start('find', ({ signal }) => findAgain(parts.flows, signal)).done.catch(() => {})
  }
  const minutes = ALLOWED_MS / 60_000
  return {
    status: 'success',
    message: messageFor(
      request,
      `Confirmed: it goes on, and is not stopped again for ${minutes} minutes.`,
      `已确认：操作继续，${minutes} 分钟内不再拦截。`
    )
  }
}

async function undo(
  { flows, tasks }: HttpParts,
  request: ApiRequest,
  { kind, fromMs }: Brake
): Promise<z.output<typeof releasedShape>> {
  if (kind === 'loss') {
    throw new NodeError(
      'VALIDATION',
      'Files that are gone from the disk can not be undone. Bring the disk back, and it goes on by itself; or confirm, ' +
        'and the images are fetched from other servers.',
      { place: 'body' }
    )
  }
  const unblocked = await flows.blocks.removeSince(fromMs)
  await flows.brakes.release(kind)
  // it changes much itself; whoever did what it takes back may go on with that
  const { task } = tasks.start('undo', (control) =>
    undoChanges(flows, fromMs, control).finally(() => flows.brakes.endAllowance(kind))
  )
  return {
    status: 'accepted',
    message: messageFor(
      request,
      `Everything that was deleted, replaced or blocked since ${isoTime(fromMs)} comes back: GET /file-sync/api/file-sync/tasks/${task.id} tells how far it is.${unblockedNote(unblocked)}`,
      `${isoTime(fromMs)} 以来被删除、替换或屏蔽的图片正在恢复：用 GET /file-sync/api/file-sync/tasks/${task.id} 查看进度。${unblockedNoteZh(unblocked)}`
    ),
    task_id: task.id
  }
}

/** One that was meant may be among them: nobody else would tell whoever made it. */
function unblockedNote(count: number): string {
  if (count === 0) return ''
  return ` Hashes that are blocked no more, on all servers: ${count}, with all that were held meanwhile. Block again what is meant.`
}

function unblockedNoteZh(count: number): string {
  return count === 0
    ? ''
    : `已在所有服务器上解除 ${count} 个屏蔽（包括期间暂缓的），确需屏蔽的请重新屏蔽。`
}
