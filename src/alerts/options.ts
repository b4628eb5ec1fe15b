// What can be set about telling people that a node needs them: `alerts`.

import { z } from 'zod'
import { durationField, textField } from '../base/fields.ts'

export const alertsSection = z.strictObject({
  webhook: textField('an http or https address', /^https?:\/\/\S{1,2000}$/)
    .optional()
    .describe('Is sent the status as JSON when it is not healthy any more, and when it is again')
    .meta({ unset: 'none', example: 'https://chat.example.org/hooks/images' }),
  command: textField('a command line', /^[^\0]{1,4096}$/)
    .optional()
    .describe('Is run by the shell at the same moments, with the same JSON as its input')
    .meta({ unset: 'none', example: 'mail -s "$TUMESH_NODE: $TUMESH_STATUS" me@example.org' }),
  after: durationField(0)
    .prefault('1m')
    .describe('How long the status must have been another: what is over sooner is not told')
})

export interface AlertOptions {
  readonly webhook: string | undefined
  readonly command: string | undefined
  readonly afterMs: number
}

export function alertOptions(section: z.output<typeof alertsSection>): AlertOptions {
  return { webhook: section.webhook, command: section.command, afterMs: section.after }
}
