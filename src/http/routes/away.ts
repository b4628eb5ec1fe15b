// /api/away: this server will be switched off for a while, and nobody need worry.

import { z } from 'zod'
import { saidAs } from '../../base/cause.ts'
import { isoTime } from '../../base/iso-time.ts'
import { parseDuration } from '../../base/units.ts'
import { messageFor } from '../messages.ts'
import type { HttpParts } from '../ports.ts'
import { requireMesh } from '../require-mesh.ts'
import type { Route } from '../route.ts'

const DAY_MS = 86_400_000
const AWAY_MS_MAX = 90 * DAY_MS

const bodyShape = z.strictObject({
  for: z.string().refine((text) => isTime(parseDuration(text)), {
    error: 'must be a time such as 2h or 3d, 90 days at most',
    params: saidAs('field_away')
  })
})
const sayingShape = z.object({
  status: z.literal('success'),
  away_until: z.iso.datetime().nullable()
})
const shape = sayingShape.extend({ message: z.string() })

export function awayRoutes(parts: HttpParts): Route[] {
  const common = { url: '/api/away', who: 'admin', tag: 'operations' } as const
  return [
    {
      ...common,
      method: 'GET',
      summary: 'Until when the others are told that this server may be off',
      answers: { 200: { means: 'The time, null if it said nothing', shape: sayingShape } },
      async handle() {
        const untilMs = requireMesh(parts).awayUntilMs()
        const isOver = untilMs === undefined || untilMs <= parts.clock.now()
        return { status: 'success', away_until: isOver ? null : isoTime(untilMs) }
      }
    },
    {
      ...common,
      method: 'POST',
      summary: 'Tell the other servers that this one will be off for a while',
      body: bodyShape,
      answers: { 200: { means: 'They show it as away until then, once it is off', shape } },
      async handle(request) {
        const { for: time } = request.body as z.output<typeof bodyShape>
        const untilMs = parts.clock.now() + (parseDuration(time) ?? 0)
        await requireMesh(parts).sayAway(untilMs)
        const until = isoTime(untilMs)
        return {
          status: 'success',
          message: messageFor(
            request,
            `The others know that this server may be off until ${until}. Its next start says that it is back.`,
            `其他服务器已知道本机可能离线至 ${until}。下次启动时会自动报告已回来。`
          ),
          away_until: until
        }
      }
    },
    {
      ...common,
      method: 'DELETE',
      summary: 'Tell them that it is not',
      answers: { 200: { means: 'They worry again', shape } },
      async handle(request) {
        await requireMesh(parts).sayAway(undefined)
        const message = messageFor(request, 'This server is back.', '本服务器已回来。')
        return { status: 'success', message, away_until: null }
      }
    }
  ]
}

function isTime(ms: number | undefined): boolean {
  return ms !== undefined && ms > 0 && ms <= AWAY_MS_MAX
}
