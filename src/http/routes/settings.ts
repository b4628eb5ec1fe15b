// GET /api/settings: the configuration in force, and where each value comes from.

import { z } from 'zod'
import type { HttpParts } from '../ports.ts'
import type { Route } from '../route.ts'

const settingShape = z.object({
  key: z.string(),
  value: z.string().nullable().describe('As it would be written in the file; null: not set'),
  from: z.enum(['default', 'file', 'environment', 'command line']),
  origin: z.string().describe('The line of the file, the variable or the flag'),
  meaning: z.string(),
  unset: z.string().nullable().describe('What holds while it is not set')
})
const shape = z.object({ status: z.literal('success'), settings: z.array(settingShape) })

export function settingsRoutes({ settings = [] }: Pick<HttpParts, 'settings'>): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/settings',
      who: 'admin',
      tag: 'operations',
      summary: 'The configuration in force, and where each value comes from; never a secret',
      answers: { 200: { means: 'Every key, in the order of the file', shape } },
      handle: async () => ({
        status: 'success',
        settings: settings.map(({ key, value, from, origin, text, unset }) => ({
          ...{ key, value: value ?? null, from, origin, meaning: text },
          unset: unset ?? null
        }))
      })
    }
  ]
}
