// How a task looks from outside, and how long a caller waits for one.

import { z } from 'zod'
import { saidAs } from '../base/cause.ts'
import type { Clock } from '../base/clock.ts'
import { NodeError } from '../base/errors.ts'
import type { StartedTask, Task, TaskBoard } from '../base/task-board.ts'
import { causeShape } from './describe-status.ts'

export const taskShape = z.object({
  task_id: z.string(),
  kind: z.string(),
  status: z.enum(['running', 'completed', 'failed']),
  total: z.int(),
  processed: z.int(),
  errors: z.array(
    z.object({
      subject: z.string(),
      detail: z.string(),
      code: z.string().optional(),
      cause: causeShape.omit({ text: true }).optional()
    })
  ),
  start_time: z.number().describe('Seconds since 1970'),
  end_time: z.number().nullable(),
  result: z.unknown()
})

export const acceptedShape = z.object({
  status: z.literal('accepted'),
  message: z.string(),
  task_id: z.string(),
  background: z.literal(true)
})

export function describeTask(task: Task): z.output<typeof taskShape> {
  return {
    task_id: task.id,
    kind: task.kind,
    status: task.status,
    total: task.total,
    processed: task.processed,
    errors: [...task.errors],
    start_time: task.startMs / 1000,
    end_time: task.endMs === undefined ? null : task.endMs / 1000,
    result: task.result ?? null
  }
}

/** Throws NOT_FOUND; so for a task of another kind where one is named. */
export function findTask(tasks: TaskBoard, id: string, kind?: string): Task {
  const task = tasks.get(id)
  if (task !== undefined && (kind === undefined || task.kind === kind)) return task
  throw new NodeError(
    'NOT_FOUND',
    'There is no such task. A task that has ended is kept for a while, and not beyond a restart of the node.',
    { id: id.slice(0, 80), ...saidAs('task_absent') }
  )
}

/**
 * What the task comes to, or undefined if it takes longer than this. Rejects with what makes it
 * fail.
 */
export async function resultWithin<T extends object>(
  clock: Clock,
  { done }: StartedTask<T>,
  waitMs: number
): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const cancel = clock.after(waitMs, () => late.resolve(undefined))
  try {
    return await Promise.race([done, late.promise])
  } finally {
    cancel()
  }
}
