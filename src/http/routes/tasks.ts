// GET /file-sync/api/file-sync/tasks, and tasks/{id}: how work in the background is getting on.

import { z } from 'zod'
import type { Task } from '../../base/task-board.ts'
import { describeTask, findTask, taskShape } from '../describe-task.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { Route } from '../route.ts'

const summaryShape = taskShape.omit({ errors: true, result: true })
const listShape = z.object({ status: z.literal('success'), tasks: z.array(summaryShape) })
const paramsShape = z.object({ id: z.string().max(100) })

export function taskRoutes({ tasks }: HttpParts, _options: ApiOptions): Route[] {
  return [
    {
      method: 'GET',
      url: '/file-sync/api/file-sync/tasks',
      who: 'read',
      tag: 'operations',
      summary: 'Background tasks, those that have ended lately too',
      answers: { 200: { means: 'The tasks, the oldest first', shape: listShape } },
      handle: async () => ({ status: 'success', tasks: tasks.list().map(summaryOf) })
    },
    {
      method: 'GET',
      url: '/file-sync/api/file-sync/tasks/:id',
      who: 'read',
      tag: 'documented',
      summary: 'State and result of a background task',
      params: paramsShape,
      answers: {
        200: { means: 'The task', shape: taskShape },
        404: { means: 'There is no such task, or no longer' }
      },
      async handle(request) {
        const { id } = request.params as z.output<typeof paramsShape>
        return describeTask(findTask(tasks, id))
      }
    }
  ]
}

function summaryOf(task: Task): z.output<typeof summaryShape> {
  const { errors: _errors, result: _result, ...summary } = describeTask(task)
  return summary
}
