// What stopped because it was too much to be meant, and a person's word on it.

import { z } from 'zod'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { isoTime } from '../../base/iso-time.ts'
import { ALLOWED_MS, type Brake, type Release } from '../../flows/brakes.ts'
import { confirmChanges, undoBrake } from '../../flows/decide-brakes.ts'
import { findAgain } from '../../flows/find-again.ts'
import { pageOfChanges, stoppedShape } from '../describe-changes.ts'
import { cursorField, limitField } from '../list-query.ts'
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
const releaseShape = z.object({
  kind: z.enum(['loss', 'changes']),
  how: z.enum(['confirm', 'undo', 'back']).describe('back: what was gone is there again'),
  at: z.iso.datetime(),
  by: z.string().nullable().describe('The server on which a person did; null: this one'),
  from: z.string().nullable().describe('The server that told it'),
  count: z.int(),
  of: z.int()
})
const listShape = z.object({
  status: z.literal('success'),
  brakes: z.array(brakeShape),
  released: z.array(releaseShape).describe('The last ones that were, the newest first')
})
const tokenParams = z.strictObject({ token: z.string().max(64) })
const pageQuery = z.strictObject({
  limit: limitField(1000).default(100),
  cursor: cursorField.optional()
})
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
        brakes: parts.flows.brakes.all().map(describeBrake),
        released: parts.flows.brakes.releases().map(describeRelease)
      })
    },
    {
      method: 'GET',
      url: '/api/brakes/:token',
      who: 'admin',
      tag: 'operations',
      summary: 'What an undo would take back, as it is now',
      params: tokenParams,
      query: pageQuery,
      answers: {
        200: { means: 'A page of it', shape: stoppedShape },
        404: { means: 'No brake that is engaged has this token' }
      },
      handle: async (request) => {
        const { token } = request.params as z.output<typeof tokenParams>
        return pageOfChanges(parts.flows, brakeWith(parts, token), {
          ...(request.query as z.output<typeof pageQuery>),
          signal: request.signal
        })
      }
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

function describeRelease({ kind, how, atMs, by, from, count, of }: Release) {
  return { kind, how, at: isoTime(atMs), by: by ?? null, from: from ?? null, count, of }
}

function brakeWith({ flows }: HttpParts, token: string): Brake {
  const brake = flows.brakes.withToken(token)
  if (brake !== undefined) return brake
  throw new NodeError(
    'NOT_FOUND',
    'No brake that is engaged has this token. GET /api/brakes lists those that are.',
    saidAs('brake_over')
  )
}

async function release(
  parts: HttpParts,
  request: ApiRequest
): Promise<z.output<typeof releasedShape>> {
  const { token, action } = request.body as z.output<typeof bodyShape>
  const brake = brakeWith(parts, token)
  if (action === 'undo') return undo(parts, request, brake)
  requireNoUndo(parts)
  if (brake.kind === 'changes') await confirmChanges(parts.flows, brake)
  else {
    await parts.flows.brakes.confirmLoss()
    parts.tasks.start('find', ({ signal }) => findAgain(parts.flows, signal)).done.catch(() => {})
  }
  const minutes = ALLOWED_MS / 60_000
  return {
    status: 'success',
    message: messageFor(
      request,
      `Confirmed: it goes on, and is not stopped again here for ${minutes} minutes. Another server that makes very many more changes itself may stop again: it is confirmed there.`,
      `已确认：操作继续，${minutes} 分钟内此服务器不再拦截。若其他服务器自身继续大量更改，可能再次停下，需在那里确认。`
    )
  }
}

/** What comes back would be confirmed as gone. */
function requireNoUndo({ tasks }: HttpParts): void {
  const running = tasks.runningOf('undo')
  if (running === undefined) return
  const sentence = `It is being undone (task ${running.id}): nothing can be confirmed until that has ended.`
  throw new NodeError('BUSY', sentence, { task_id: running.id })
}

async function undo(
  { flows, tasks }: HttpParts,
  request: ApiRequest,
  brake: Brake
): Promise<z.output<typeof releasedShape>> {
  const { kind, fromMs } = brake
  if (kind === 'loss') {
    throw new NodeError(
      'VALIDATION',
      'Files that are gone from the disk can not be undone. Bring the disk back, and it goes on by itself; or confirm, ' +
        'and the images are fetched from other servers.',
      { place: 'body', ...saidAs('brake_no_undo') }
    )
  }
  const unblocked = flows.blocks.since(fromMs).length
  const task =
    tasks.runningOf('undo') ??
    tasks.start('undo', (control) => undoBrake(flows, brake, control)).task
  return {
    status: 'accepted',
    message: messageFor(
      request,
      `Everything that was deleted, replaced or blocked since ${isoTime(fromMs)} comes back: GET /file-sync/api/file-sync/tasks/${task.id} tells how far it is, and what could not be had. Until it has ended changes stay stopped here.${unblockedNote(unblocked)}`,
      `${isoTime(fromMs)} 以来被删除、替换或屏蔽的图片正在恢复：用 GET /file-sync/api/file-sync/tasks/${task.id} 查看进度和无法恢复的图片。结束之前，此节点上的更改仍被拦截。${unblockedNoteZh(unblocked)}`
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
