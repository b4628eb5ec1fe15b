// What can be set about keeping nodes equal: `file_sync`.

import { z } from 'zod'
import {
  booleanField,
  choiceField,
  durationField,
  integerField,
  listField,
  sizeField,
  textField
} from '../base/fields.ts'
import type { ChangedFiles } from './plan-adopt.ts'

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
  retry_delay: durationField(0)
    .prefault('5s')
    .describe('Wait before an image that failed, or a server, is tried again; then twice as long'),
  verify_integrity: booleanField()
    .prefault(true)
    .describe('Hash stored images again in quiet times')
})

const DAY_MS = 86_400_000

export const auditSection = z.strictObject({
  enabled: booleanField()
    .prefault(true)
    .describe('Write down who changes what, in metadata/audit.ndjson'),
  size: sizeField(65_536)
    .prefault('64MiB')
    .describe('Size of all its files together; the oldest lines go')
})

export const scanSection = z.strictObject({
  clamd: textField('a socket such as /run/clamav/clamd.ctl, or host:port', /^(\/.+|.+:\d{1,5})$/)
    .optional()
    .describe('Where clamd of ClamAV listens: what comes in is shown to it first')
    .meta({ unset: 'none: nothing is scanned', example: '/run/clamav/clamd.ctl' }),
  absent: choiceField(['refuse', 'accept'])
    .prefault('refuse')
    .describe('accept takes images in while clamd does not answer, and scans them later'),
  stored: booleanField()
    .prefault(true)
    .describe(
      'Show it what other servers send, before it can be read, and all when they are read again'
    ),
  timeout: durationField(100).prefault('30s').describe('How long clamd is waited for')
})

export interface ScanSettings {
  /** Undefined: nothing is scanned. */
  readonly clamd: string | undefined
  readonly absent: 'refuse' | 'accept'
  readonly stored: boolean
  readonly timeoutMs: number
}

export interface AuditOptions {
  readonly enabled: boolean
  readonly bytesMax: number
}

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

export const adoptSection = z.strictObject({
  enabled: booleanField()
    .prefault(true)
    .describe('Take in what other programs write into images/, and show again what they remove'),
  interval: durationField(100, DAY_MS)
    .prefault('60s')
    .describe('Rest between two scans of images/, longer where a scan takes long'),
  changed: choiceField(['version', 'repair'])
    .prefault('version')
    .describe(
      'What another file at the place of a known image is: a new version of it, or damage that is repaired'
    ),
  ignore: listField('patterns such as *.part', readPattern)
    .prefault(['*.part', '*.tmp'])
    .describe(
      'Names of files and folders that are left alone; those with a dot in front always are'
    )
})

export interface AdoptSettings {
  readonly enabled: boolean
  readonly intervalMs: number
  readonly changed: ChangedFiles
  readonly ignore: readonly string[]
}

export function adoptSettings(section: z.output<typeof adoptSection>): AdoptSettings {
  const { enabled, interval, changed, ignore } = section
  return { enabled, intervalMs: interval, changed, ignore }
}

function readPattern(text: string): string | undefined {
  return /^[^/\0]{1,255}$/.test(text) ? text : undefined
}
