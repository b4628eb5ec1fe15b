// What can be set about the index: `index`.

import { z } from 'zod'
import { booleanField } from '../base/fields.ts'

export const indexSection = z.strictObject({
  export: booleanField()
    .prefault(true)
    .describe('Write metadata/file_index.json, a readable copy of the index')
})

export interface IndexOptions {
  readonly export: boolean
}
