// The invite: one line by which a server anywhere enters the mesh.

import { messageFor } from '../messages.ts'
import type { HttpParts, Invitation } from '../ports.ts'
import { requireMesh } from '../require-mesh.ts'
import type { ApiRequest, Route } from '../route.ts'

export function inviteRoutes(parts: HttpParts): Route[] {
  return [
    {
      method: 'POST',
      url: '/api/invite',
      who: 'admin',
      tag: 'operations',
      summary: 'Make an invite: it holds the secret of the mesh, which is made if there is none',
      answers: {
        200: { means: 'The line that join takes on another server, and who got a new secret' },
        503: { means: 'This node stands alone' }
      },
      handle: (request) => invite(parts, request)
    }
  ]
}

async function invite(parts: HttpParts, request: ApiRequest): Promise<unknown> {
  const invitation = await requireMesh(parts).invite(request.signal)
  const { line, made, handedTo, notReached } = invitation
  return {
    status: 'success',
    message: messageFor(request, english(invitation), chinese(invitation)),
    invite: line,
    made,
    handed_to: handedTo,
    not_reached: notReached
  }
}

function english({ made, handedTo, notReached }: Invitation): string {
  const have = handedTo.length === 1 ? 'has' : 'have'
  const handed = handedTo.length > 0 ? `; ${listed(handedTo)} ${have} it` : ''
  const first = made
    ? `This mesh had no secret and has one now${handed}.`
    : 'Whoever joins this line becomes a member of the mesh.'
  const [was, it] = notReached.length === 1 ? ['was', 'it'] : ['were', 'them']
  const missed = `${listed(notReached)} ${was} not reachable: let ${it} join with this line too.`
  return notReached.length > 0 ? `${first} ${missed}` : first
}

function chinese({ made, handedTo, notReached }: Invitation): string {
  const handed = handedTo.length > 0 ? `，已交给 ${handedTo.join('、')}` : ''
  const first = made
    ? `此网络原来没有密钥，现已生成${handed}。`
    : '用这一行加入的服务器即成为此网络的成员。'
  const missed = `未能联系到 ${notReached.join('、')}：请让其也用这一行加入。`
  return notReached.length > 0 ? first + missed : first
}

/** "b", "b and c", "b, c and d". */
function listed(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' and $1')
}
