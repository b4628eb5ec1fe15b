// /api/drain: may this server be switched off, and what must be handed over before?

import { z } from 'zod'
import { sleep } from '../../base/clock.ts'
import type { Task, TaskControl } from '../../base/task-board.ts'
import { messageFor } from '../messages.ts'
import { connectedServers, findOnlyHere, type OnlyHere } from '../only-here.ts'
import type { HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

export const DRAIN_TASK = 'drain'
/** Between two looks at what is left; looking takes longer the more images there are. */
const LOOK_MS = 2000
const LOOK_PAUSE_TIMES = 5
/** A server that does not answer is not waited for: its last word counts. */
const HEAR_MS_MAX = 3000

const shape = z.object({
  status: z.literal('success'),
  message: z.string(),
  safe_to_switch_off: z.boolean(),
  only_here_files: z.int().describe('Images whose bytes no other connected server has'),
  only_here_bytes: z.int(),
  only_here_paths: z.array(z.string()).describe('Some of them'),
  pending_uploads: z.int().describe('Uploads under way: they would be lost'),
  servers: z.array(z.string()).describe('Names of the other servers that are connected'),
  task_id: z.string().nullable().describe('While this node hands over what only it has')
})

type Drain = z.output<typeof shape>

export function drainRoutes(parts: HttpParts, uploads: () => number): Route[] {
  const common = { url: '/api/drain', who: 'admin', tag: 'operations' } as const
  return [
    {
      ...common,
      method: 'GET',
      summary: 'Whether this server can be switched off without an image going out of reach',
      answers: { 200: { means: 'What only this node has', shape } },
      handle: (request) => describe(parts, uploads, request, parts.tasks.runningOf(DRAIN_TASK))
    },
    {
      ...common,
      method: 'POST',
      summary: 'Hand over to other servers what only this node has',
      answers: { 200: { means: 'What is left; a task follows it', shape } },
      async handle(request) {
        const running = parts.tasks.runningOf(DRAIN_TASK) ?? begin(parts)
        return describe(parts, uploads, request, running)
      }
    }
  ]
}

function begin(parts: HttpParts): Task {
  const { tasks } = parts
  return tasks.start(DRAIN_TASK, (control) => handOver(parts, control)).task
}

/** Other servers fetch by themselves: they are told anew until they have it all. */
async function handOver(parts: HttpParts, { signal, total, processed }: TaskControl) {
  const { clock, mesh } = parts
  let most = 0
  for (;;) {
    await mesh?.syncNow()
    const beganMs = clock.monotonicMs()
    const { files } = await findOnlyHere(parts, signal)
    const tookMs = clock.monotonicMs() - beganMs
    most = Math.max(most, files)
    total(most)
    processed(most - files)
    if (files === 0) return { safe_to_switch_off: true }
    await sleep(clock, Math.max(LOOK_MS, tookMs * LOOK_PAUSE_TIMES), signal)
  }
}

async function describe(
  parts: HttpParts,
  uploads: () => number,
  request: ApiRequest,
  task: Task | undefined
): Promise<Drain> {
  // what ends while it is looked has not been seen
  const before = uploads()
  // their last word may be a minute old, and a person acts on this one
  await parts.meshStatus?.hear(HEAR_MS_MAX, request.signal)
  const onlyHere = await findOnlyHere(parts, request.signal)
  const servers = connectedServers(parts)
  const pending = Math.max(before, uploads())
  return {
    status: 'success',
    message: sentence(request, onlyHere, { servers: servers.length, pending }),
    safe_to_switch_off: onlyHere.files === 0 && pending === 0,
    only_here_files: onlyHere.files,
    only_here_bytes: onlyHere.bytes,
    only_here_paths: [...onlyHere.samples],
    pending_uploads: pending,
    servers: [...servers],
    task_id: task?.status === 'running' ? task.id : null
  }
}

function sentence(
  request: ApiRequest,
  { files }: OnlyHere,
  { servers, pending }: { readonly servers: number; readonly pending: number }
): string {
  const images = files === 1 ? '1 image is' : `${files} images are`
  if (files > 0 && servers === 0) {
    return messageFor(
      request,
      `${images} only here, and no other server is connected: do not switch this one off.`,
      `${files} 张图片仅在本机，且没有连接其他服务器：请勿关闭。`
    )
  }
  if (files > 0) {
    return messageFor(
      request,
      `${images} only here: wait until other servers have them, or POST /api/drain.`,
      `${files} 张图片仅在本机：请等待其他服务器取得，或 POST /api/drain。`
    )
  }
  if (pending > 0) {
    return messageFor(
      request,
      `${pending} uploads are under way: wait until they have ended.`,
      `仍有 ${pending} 个上传在进行：请等待其完成。`
    )
  }
  return messageFor(request, 'It is safe to switch this server off.', '可以安全关闭本服务器。')
}
