// What can be set about keeping nodes equal: `file_sync`.

import { z } from 'zod'
import { booleanField, durationField, integerField } from '../base/fields.ts'

export const fileSyncSection = z.strictObject({
  enabled: booleanField().prefault(true).describe('Exchange images with other nodes'),
  batch_size: integerField(1, 1_000).prefault(10).describe('Images fetched at one time'),
  sync_interval: durationField(100)
    .prefault('60s')
    .describe('How often the index is compared with one peer'),
  max_retry_attempts: integerField(0, 1_000)
    .prefault(3)
    .describe(
      'Tries of one image before the status counts it as failed; it is tried on, ever more rarely'
    ),
  retry_delay: durationField(0).prefault('5s').describe('Wait before the first retry'),
  verify_integrity: booleanField()
    .prefault(true)
    .describe('Hash stored images again in quiet times')
})

const DAY_MS = 86_400_000

export const scrubSection = z.strictObject({
  interval: durationField(60_000, 3_650 * DAY_MS)
    .prefault('30d')
    .describe('Within this time every stored image is read and hashed again')
})

export interface FileSyncOptions {
  readonly enabled: boolean
  readonly batchSize: number
  readonly syncIntervalMs: number
  readonly maxRetryAttempts: number
  readonly retryDelayMs: number
  readonly verifyIntegrity: boolean
}

export function fileSyncOptions(section: z.output<typeof fileSyncSection>): FileSyncOptions {
  return {
    enabled: section.enabled,
    batchSize: section.batch_size,
    syncIntervalMs: section.sync_interval,
    maxRetryAttempts: section.max_retry_attempts,
    retryDelayMs: section.retry_delay,
    verifyIntegrity: section.verify_integrity
  }
}
