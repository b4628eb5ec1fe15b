// The invite: one line by which a server anywhere enters the mesh.

import { z } from 'zod'
import { callOf } from '../../base/how-called.ts'
import { isoTime } from '../../base/iso-time.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts, Invitation } from '../ports.ts'
import { requireMesh } from '../require-mesh.ts'
import type { ApiRequest, Route } from '../route.ts'

const VALID_SECONDS_MAX = 366 * 86_400
const USES_MAX = 10_000

const bodyShape = z
  .strictObject({
    expires_in: z
      .int()
      .min(1)
      .max(VALID_SECONDS_MAX)
      .optional()
      .describe('Seconds for which it is good; a day without it'),
    uses: z.int().min(1).max(USES_MAX).optional().describe('How many servers may join with it'),
    permanent: z
      .boolean()
      .optional()
      .describe('The line holds the secret of the mesh itself, and is good as long as that')
  })
  .optional()

const answered = { status: z.literal('success'), message: z.string() }
const madeShape = z.object({
  ...answered,
  invite: z.string().describe('The line'),
  command: z.string().describe('What joins with it, in a terminal of another server'),
  expires_at: z.iso.datetime().nullable(),
  made: z.boolean().describe('Whether the secret is new'),
  handed_to: z.array(z.string()),
  not_reached: z.array(z.string())
})
const revokedShape = z.object({ ...answered, revoked: z.int() })

export function inviteRoutes(parts: HttpParts): Route[] {
  return [
    {
      method: 'POST',
      url: '/api/invite',
      who: 'admin',
      tag: 'operations',
      summary: 'Make an invite, with which servers get the secret of the mesh for a day',
      body: bodyShape,
      answers: {
        200: {
          means: 'The line that join takes on another server, and who got a new secret',
          shape: madeShape
        },
        503: { means: 'This node stands alone' }
      },
      handle: (request) => invite(parts, request)
    },
    {
      method: 'DELETE',
      url: '/api/invite',
      who: 'admin',
      tag: 'operations',
      summary: 'Revoke all invites that this node has made; those that are permanent stay good',
      answers: {
        200: { means: 'They let nobody in any more', shape: revokedShape },
        503: { means: 'This node stands alone' }
      },
      handle: (request) => revoke(parts, request)
    }
  ]
}

async function revoke(parts: HttpParts, request: ApiRequest): Promise<unknown> {
  const revoked = await requireMesh(parts).revokeInvites()
  return {
    status: 'success',
    message: messageFor(request, `Revoked invites: ${revoked}.`, `已撤销的邀请：${revoked}。`),
    revoked
  }
}

async function invite(parts: HttpParts, request: ApiRequest): Promise<unknown> {
  const wish = (request.body as z.output<typeof bodyShape>) ?? {}
  const invitation = await requireMesh(parts).invite({
    validMs: wish.expires_in === undefined ? undefined : wish.expires_in * 1000,
    uses: wish.uses,
    isPermanent: wish.permanent
  })
  const { line, made, handedTo, notReached, expiresMs } = invitation
  return {
    status: 'success',
    message: messageFor(request, english(invitation), chinese(invitation)),
    invite: line,
    command: callOf('join', line),
    expires_at: expiresMs === undefined ? null : isoTime(expiresMs),
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
