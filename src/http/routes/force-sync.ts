// POST /api/force-file-sync: compare with every server now, and fetch what is missing.

import { z } from 'zod'
import { isImage } from '../../../protocols/entry.ts'
import { parsePath } from '../../../protocols/path.ts'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import type { Task } from '../../base/task-board.ts'
import type { ServerStatus } from '../../flows/status.ts'
import { SYNC_OFF_TEXT } from '../describe-status.ts'
import { messageFor } from '../messages.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

/** Kind of the task; its id begins with it. */
export const SYNC_TASK = 'sync'
const PATHS_MAX = 10_000
const SERVERS_MAX = 1000

const bodyShape = z
  .object({
    paths: z.array(z.string()).max(PATHS_MAX).nullish(),
    servers: z.array(z.string()).max(SERVERS_MAX).nullish(),
    dry_run: z.boolean().nullish()
  })
  .nullish()

const shape = z.object({
  status: z.literal('success'),
  message: z.string(),
  queued_files: z.int(),
  in_sync_files: z.int(),
  task_id: z.string().nullable().describe('Null for a dry run'),
  background: z.boolean().describe('False when the task has ended already')
})

export function forceSyncRoutes(parts: HttpParts, { sync }: ApiOptions): Route[] {
  return [
    {
      method: 'POST',
      url: '/api/force-file-sync',
      who: 'admin',
      tag: 'documented',
      summary: 'Compare with other servers now',
      body: bodyShape,
      answers: {
        200: { means: 'What was queued; the same task while one runs', shape },
        404: { means: 'A server that is named is not connected' },
        503: { means: 'file_sync.enabled is false' }
      },
      async handle(request) {
        if (!sync.enabled) throw new NodeError('SYNC_OFF', SYNC_OFF_TEXT)
        return run(parts, request)
      }
    }
  ]
}

async function run(parts: HttpParts, request: ApiRequest): Promise<z.output<typeof shape>> {
  const { paths, servers, dry_run } = (request.body as z.output<typeof bodyShape>) ?? {}
  checkServers(parts, servers ?? [])
  const inSync = paths ? countHeld(parts, paths) : parts.flows.index.counts().heldImages
  const task = dry_run ? undefined : await startOrJoin(parts)
  const others = connected(parts.mesh).length
  return {
    status: 'success',
    message:
      others === 0
        ? messageFor(
            request,
            'There is no other server yet, so there was nothing to compare.',
            '还没有其他服务器，无需比对。'
          )
        : messageFor(request, `Compared with ${others} servers.`, `已与 ${others} 台服务器比对。`),
    queued_files: parts.flows.index.counts().wants,
    in_sync_files: inSync,
    task_id: task?.id ?? null,
    background: task?.status === 'running'
  }
}

/** Long enough for most; what takes longer goes on in the background. */
const ANSWER_MS_MAX = 5000

async function startOrJoin({ tasks, mesh, flows, clock }: HttpParts): Promise<Task> {
  const running = tasks.runningOf(SYNC_TASK)
  if (running !== undefined) return running
  const { task, done } = tasks.start(SYNC_TASK, async () => {
    await mesh?.syncNow()
    return { queued_files: flows.index.counts().wants }
  })
  let cancel = () => {}
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(ANSWER_MS_MAX, resolve)
  })
  await Promise.race([done, late])
  cancel()
  return task
}

function checkServers({ node, mesh }: HttpParts, servers: readonly string[]): void {
  const known = [node, ...connected(mesh)].flatMap(({ name, peerId }) => [name, peerId])
  const unknown = servers.find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new NodeError(
    'NOT_FOUND',
    `No server ${JSON.stringify(unknown.slice(0, 80))} is connected. GET /api/peers lists them.`,
    saidAs('server_absent', { server: unknown.slice(0, 80) })
  )
}

function connected(mesh: HttpParts['mesh']): readonly ServerStatus[] {
  return (mesh?.servers() ?? []).filter(({ state }) => state === 'online' || state === 'syncing')
}

function countHeld({ flows: { index } }: HttpParts, paths: readonly string[]): number {
  return paths.filter((path) => {
    const entry = index.get(parsePath(path))
    return isImage(entry) && index.blob(entry.hash)?.state === 'held'
  }).length
}
