// POST /api/adopt: take in the images of folders of this server.

import { z } from 'zod'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import { acceptedShape } from '../describe-task.ts'
import { messageFor } from '../messages.ts'
import { addressOf, forwardingHeaderOf, isLoopback } from '../plan-access.ts'
import type { HttpParts } from '../ports.ts'
import type { ApiRequest, Route } from '../route.ts'

const FOLDERS_MAX = 100

const bodyShape = z.strictObject({
  folders: z.array(z.string().min(1).max(4096)).min(1).max(FOLDERS_MAX),
  link: z.boolean().default(false).describe('Link files that nobody changes, instead of copying')
})

export function adoptRoutes({ adoptFolders }: HttpParts): Route[] {
  return [
    {
      method: 'POST',
      url: '/api/adopt',
      who: 'admin',
      tag: 'operations',
      summary: 'Take in the images of folders of this server',
      body: bodyShape,
      answers: {
        202: { means: 'The task, whose result is the account', shape: acceptedShape },
        400: { means: 'A folder can not be taken in' },
        403: { means: 'The caller is not on this machine' },
        503: { means: 'Other folders are being taken in' }
      },
      async handle(request, reply) {
        requireLocal(request)
        const { id } = adoptFolders(request.body as z.output<typeof bodyShape>)
        reply.code(202)
        return {
          status: 'accepted',
          message: messageFor(
            request,
            `It goes on in the background: GET /file-sync/api/file-sync/tasks/${id} tells how far it is.`,
            `导入在后台进行：用 GET /file-sync/api/file-sync/tasks/${id} 查看进度。`
          ),
          task_id: id,
          background: true
        }
      }
    }
  ]
}

/** Folders have names on their own machine alone, and tell much about it. */
function requireLocal({ raw, headers }: ApiRequest): void {
  const isForwarded = forwardingHeaderOf(Object.keys(headers)) !== undefined
  if (isLoopback(addressOf(raw.socket.remoteAddress)) && !isForwarded) return
  throw new NodeError(
    'FORBIDDEN',
    'Folders are named by programs on the server itself only: run tumesh adopt there.',
    saidAs('adopt_elsewhere')
  )
}
