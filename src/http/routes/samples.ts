// GET /api/samples: how the node has been in the last hours.

import { z } from 'zod'
import type { Route } from '../route.ts'
import {
  SAMPLE_COLUMNS,
  SAMPLE_MS,
  SAMPLES_MAX,
  type SampleColumn,
  type Samples
} from '../samples.ts'

const HOURS = (SAMPLES_MAX * SAMPLE_MS) / 3_600_000

const querySchema = z.strictObject({
  after: z.coerce
    .number()
    .min(0)
    .default(0)
    .describe('Only samples later than this, in milliseconds since 1970'),
  rows: z.coerce
    .number()
    .int()
    .min(1)
    .max(SAMPLES_MAX)
    .default(720)
    .describe('At most so many: of more samples, each row is the mean of neighbours')
})

const columnShapes = Object.fromEntries(
  Object.entries(SAMPLE_COLUMNS).map(([name, means]) => [
    name,
    z.array(z.number().nullable()).describe(means)
  ])
) as Record<SampleColumn, z.ZodArray<z.ZodNullable<z.ZodNumber>>>

const shape = z.object({
  status: z.literal('success'),
  interval_ms: z.int().describe('Between two samples'),
  columns: z.object(columnShapes).describe('Oldest first, all of one length')
})

export function sampleRoutes({ samples }: { readonly samples: Samples }): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/samples',
      who: 'read',
      tag: 'operations',
      summary: `How the node has been in the last ${HOURS} hours, or since its start, for charts`,
      query: querySchema,
      answers: { 200: { means: 'The samples, as columns', shape } },
      async handle({ query }) {
        const { after, rows } = query as z.output<typeof querySchema>
        const columns = samples.since(after, rows)
        return { status: 'success', interval_ms: SAMPLE_MS, columns }
      }
    }
  ]
}
