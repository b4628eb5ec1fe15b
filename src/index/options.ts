// What can be set about the index: `index`.

import { z } from 'zod'
import { booleanField, durationField } from '../base/fields.ts'

const DAY_MS = 86_400_000
const KEEP_MS_MAX = 100 * 365 * DAY_MS

export const indexSection = z.strictObject({
  export: booleanField()
    .prefault(true)
    .describe('Write metadata/file_index.json, a readable copy of the index'),
  tombstones_keep: durationField(DAY_MS, KEEP_MS_MAX)
    .prefault('90d')
    .describe(
      'Remember deletions at least so long. They are forgotten then, once every member of the mesh is known to have them'
    )
})

export interface IndexOptions {
  readonly export: boolean
  readonly tombstonesKeepMs: number
}

export function indexOptions(section: z.output<typeof indexSection>): IndexOptions {
  return { export: section.export, tombstonesKeepMs: section.tombstones_keep }
}
