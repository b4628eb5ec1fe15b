// /api/limits: how much may pass between this node and others.

import { z } from 'zod'
import { saidAs } from '../../base/cause.ts'
import { parseSize } from '../../base/units.ts'
import { LIMIT_MIN, TRAFFIC_LIMITS, type TrafficLimits } from '../../blob-sync/traffic.ts'
import type { HttpParts } from '../ports.ts'
import type { Route } from '../route.ts'

const limitsShape = z.strictObject(
  Object.fromEntries(TRAFFIC_LIMITS.map((name) => [name, z.number().nullable()]))
)
const shape = z.object({
  status: z.literal('success'),
  limits: limitsShape.describe('Bytes a second; null: no limit')
})

const MUST = `must be bytes a second, such as 5MB or 500KiB, at least ${LIMIT_MIN}; null ends the limit`
const limitShape = z
  .union([z.string(), z.number()])
  .refine((value) => (parseSize(value) ?? 0) >= LIMIT_MIN, {
    error: MUST,
    params: saidAs('field_limit', { min: LIMIT_MIN })
  })
  .nullable()
const bodyShape = z.strictObject(
  Object.fromEntries(TRAFFIC_LIMITS.map((name) => [name, limitShape.optional()]))
)

export function limitRoutes({ flows: { traffic } }: Pick<HttpParts, 'flows'>): Route[] {
  const common = { url: '/api/limits', who: 'admin', tag: 'operations' } as const
  const answer = () => ({
    status: 'success',
    limits: Object.fromEntries(TRAFFIC_LIMITS.map((name) => [name, traffic.limits[name] ?? null]))
  })
  return [
    {
      ...common,
      method: 'GET',
      summary: 'How much may pass between this node and others',
      answers: { 200: { means: 'All limits', shape } },
      handle: async () => answer()
    },
    {
      ...common,
      method: 'PUT',
      summary: 'Change some of these limits until the node ends; the configuration stays as it is',
      body: bodyShape,
      answers: { 200: { means: 'All limits, as they are from now on', shape } },
      async handle(request) {
        const body = request.body as z.output<typeof bodyShape>
        const changed = Object.entries(body).map(([name, value]) => [
          name,
          value === null || value === undefined ? undefined : parseSize(value)
        ])
        traffic.change(Object.fromEntries(changed) as Partial<TrafficLimits>)
        return answer()
      }
    }
  ]
}
