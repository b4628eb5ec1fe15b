// Logging in on the page: a key becomes a cookie that no script can read, and no other site can
// use.

import { z } from 'zod'
import { saidAs } from '../../base/cause.ts'
import { NodeError } from '../../base/errors.ts'
import type { Guard } from '../guard.ts'
import { messageFor } from '../messages.ts'
import type { ApiRequest, Route } from '../route.ts'
import { isFromOwnPage, type Sessions } from '../sessions.ts'

const bodyShape = z.strictObject({ key: z.string().min(1).max(1024) })
const sessionShape = z.object({
  as: z.enum(['keyless', 'key', 'signed', 'public']).describe('As whom the caller is let in'),
  key: z.string().nullable().describe('The name of the key')
})
const doneShape = z.object({ status: z.literal('success'), message: z.string() })

export interface LoginParts {
  readonly sessions: Sessions
  readonly guard: Pick<Guard, 'isFromProxy' | 'requireKey'>
}

export function loginRoutes({ sessions, guard }: LoginParts): Route[] {
  const isSecure = ({ raw }: ApiRequest) => {
    if ('encrypted' in raw.socket) return true
    return guard.isFromProxy(raw) && raw.headers['x-forwarded-proto'] === 'https'
  }
  return [
    {
      method: 'POST',
      url: '/api/login',
      who: 'anyone',
      tag: 'operations',
      summary: 'Log in with a key: the answer sets a cookie that stands for it for 12 hours',
      body: bodyShape,
      answers: {
        200: { means: 'The cookie is set', shape: doneShape },
        401: { means: 'There is no such key' },
        403: { means: 'The request comes from a page of another site' }
      },
      async handle(request, reply) {
        requireOwnPage(request)
        const { key } = request.body as z.output<typeof bodyShape>
        const name = guard.requireKey(request.raw, key)
        reply.header('Set-Cookie', sessions.begin(key, { isSecure: isSecure(request) }))
        reply.header('Cache-Control', 'no-store')
        const message = messageFor(request, `Logged in as ${name}.`, `已以 ${name} 登录。`)
        return { status: 'success', message }
      }
    },
    {
      method: 'POST',
      url: '/api/logout',
      who: 'anyone',
      tag: 'operations',
      summary: 'Log out: the cookie is worth nothing any more',
      answers: { 200: { means: 'It is', shape: doneShape } },
      async handle(request, reply) {
        requireOwnPage(request)
        reply.header('Set-Cookie', sessions.end(request, { isSecure: isSecure(request) }))
        reply.header('Cache-Control', 'no-store')
        return { status: 'success', message: messageFor(request, 'Logged out.', '已退出。') }
      }
    },
    {
      method: 'GET',
      url: '/api/session',
      who: 'anyone',
      tag: 'operations',
      summary: 'As whom the caller is let in',
      answers: { 200: { means: 'That', shape: sessionShape } },
      async handle({ access }, reply) {
        reply.header('Cache-Control', 'no-store')
        return { as: access.as, key: access.key ?? null }
      }
    }
  ]
}

/** Programs say nothing of a page, and may. */
function requireOwnPage({ raw }: ApiRequest): void {
  const { origin, 'sec-fetch-site': site } = raw.headers
  if ((origin === undefined && site === undefined) || isFromOwnPage(raw)) return
  const sentence = 'The request comes from a page of another site.'
  throw new NodeError('FORBIDDEN', sentence, saidAs('login_other_site'))
}
