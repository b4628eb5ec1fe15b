// GET /file-sync/api/file-sync/tasks/{id}: how work that runs in the background is getting on.

import { z } from 'zod'
import { describeTask, findTask, taskShape } from '../describe-task.ts'
import type { ApiOptions, HttpParts } from '../ports.ts'
import type { Route } from '../route.ts'

const paramsShape = z.object({ id: z.string().max(100) })

export function taskRoutes({ tasks }: HttpParts, _options: ApiOptions): Route[] {
  return [
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
