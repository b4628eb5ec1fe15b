// GET /api/audit: who did what on this node.

import { z } from 'zod'
import type { AuditLine } from '../../flows/audit-line.ts'
import { limitField } from '../list-query.ts'
import type { HttpParts } from '../ports.ts'
import type { Route } from '../route.ts'

const LIMIT_MAX = 10_000
/** Lines that are looked through for those that were asked for. */
const READ_MAX = 1_000_000

const querySchema = z.strictObject({
  limit: limitField(LIMIT_MAX).default(100),
  action: z.string().max(100).optional().describe('Only these, such as delete'),
  by: z.string().max(100).optional().describe('Only those of whom this is the beginning'),
  before: z.iso.datetime().optional().describe('Only lines older than this')
})
const shape = z.object({
  status: z.literal('success'),
  lines: z.array(
    z.object({
      at: z.string(),
      action: z.string(),
      by: z.string().describe('A key by its name, this machine, a server, or a file'),
      from: z.string().optional().describe('IP address of the caller'),
      status: z.int().optional().describe('What the caller was answered'),
      about: z.record(z.string(), z.unknown()).optional()
    })
  )
})

export function auditRoutes({ audit }: HttpParts): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/audit',
      who: 'admin',
      tag: 'operations',
      summary: 'Who added, deleted, blocked, restored, invited, joined, made and revoked keys here',
      query: querySchema,
      answers: { 200: { means: 'The newest lines first', shape } },
      async handle({ query, signal }) {
        const { limit, ...wish } = query as z.output<typeof querySchema>
        const lines: AuditLine[] = []
        let read = 0
        for await (const line of audit.lines()) {
          signal.throwIfAborted()
          if (isWished(line, wish) && lines.push(line) === limit) break
          if (++read === READ_MAX) break
        }
        return { status: 'success', lines }
      }
    }
  ]
}

function isWished(
  { at, action, by }: AuditLine,
  wish: Omit<z.output<typeof querySchema>, 'limit'>
): boolean {
  if (wish.action !== undefined && wish.action !== action) return false
  if (wish.before !== undefined && Date.parse(at) >= Date.parse(wish.before)) return false
  return by.startsWith(wish.by ?? '')
}
